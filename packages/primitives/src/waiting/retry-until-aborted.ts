import type { Clock } from '@esdb-gater/types';
import { sleep } from './sleep.ts';

export interface RetryUntilAbortedOptions {
  readonly clock: Pick<Clock, 'setTimer'>;
  /** Ends the retries, and a delay at once. An attempt under way is waited for: it should heed the same signal. */
  readonly signal: AbortSignal;
  /** Milliseconds before the next attempt. `failures` is 0 after the first failure. */
  readonly backoff: (failures: number) => number;
  /** Told of each failure before its delay, but not of one after the abort. What it throws ends the retries. */
  readonly onFailure?: (error: unknown, failures: number) => void;
}

/**
 * Calls `attempt` until it succeeds. The delays between attempts do not keep the process alive.
 *
 * @returns what `attempt` gave, or undefined once `signal` has aborted
 * @throws only what `onFailure` throws
 */
export async function retryUntilAborted<T>(
  attempt: () => T | PromiseLike<T>,
  { clock, signal, backoff, onFailure }: RetryUntilAbortedOptions,
): Promise<T | undefined> {
  for (let failures = 0; !signal.aborted; failures++) {
    try {
      return await attempt();
    } catch (error) {
      if (signal.aborted) return undefined;
      onFailure?.(error, failures);
    }
    // Aborted, it rejects: the loop then ends by itself.
    await sleep(backoff(failures), clock, signal, { unref: true }).catch(() => undefined);
  }
  return undefined;
}
