import type { Clock } from '@esdb-gater/types';
import { sleep } from './sleep.ts';

export interface RetryUntilAbortedOptions {
  readonly clock: Pick<Clock, 'setTimer'>;
  /** Ends the retries, and a delay at once. An attempt under way is waited for: it should heed the same signal. */
  readonly signal: AbortSignal;
  /** Milliseconds before the next attempt. `failures` is 0 after the first failure. */
  readonly backoff: (failures: number) => number;
  /** Called with each failure before its delay, but not after the abort. An error that it throws ends the retries. */
  readonly onFailure?: (error: unknown, failures: number) => void;
}

/**
 * Calls `attempt` until it succeeds. The delays between attempts do not keep the process alive.
 *
 * @returns the result of `attempt`, or undefined once `signal` has aborted
 * @throws only the error that `onFailure` throws
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
    // It rejects when the signal aborts; the loop then ends by itself.
    await sleep(backoff(failures), clock, signal, { unref: true }).catch(() => undefined);
  }
  return undefined;
}
