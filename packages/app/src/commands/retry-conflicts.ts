import { sleep } from '@esdb-gater/primitives';
import { calculateDelay, type RetryPolicyOptions, retryPolicy } from '@esdb-gater/retry';
import { type Clock, type ErrorCode, GaterError, systemClock } from '@esdb-gater/types';

/** How often and when a decision is made again because others changed what it depends on. */
export interface ConflictRetryOptions {
  /** @default 5 ms that double up to 500 ms, 20 attempts */
  readonly retry?: RetryPolicyOptions;
  /** @default the system clock */
  readonly clock?: Pick<Clock, 'setTimer'>;
  /** Returns a number from 0 (inclusive) to 1 (exclusive). @default Math.random */
  readonly random?: () => number;
}

const DEFAULTS = { baseDelayMs: 5, maxDelayMs: 500, maxAttempts: 20 } as const;

/** Runs attempts until one does not end with a conflict. */
export type RetryConflicts = <T>(attempt: () => Promise<T>, signal: AbortSignal | undefined) => Promise<T>;

/**
 * Returns a function that repeats what fails with `code`, after a random delay that grows.
 *
 * @throws `invalid_argument` (reason `retry_policy`)
 */
export function createConflictRetry(
  code: Extract<ErrorCode, 'wrong_expected_version' | 'append_condition_failed'>,
  { retry, clock = systemClock, random = Math.random }: ConflictRetryOptions,
): RetryConflicts {
  const policy = retryPolicy({ ...DEFAULTS, ...retry });
  return async (attempt, signal) => {
    for (let failures = 0; ; failures += 1) {
      try {
        return await attempt();
      } catch (error) {
        if (!GaterError.is(error, code) || failures + 1 >= policy.maxAttempts) throw error;
      }
      // A delay between nothing and the bound parts those that failed together.
      await sleep(random() * calculateDelay(failures, policy, random), clock, signal);
    }
  };
}
