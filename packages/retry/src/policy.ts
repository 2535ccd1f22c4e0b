import { MAX_TIMER_MS, requireInteger, requireNumber } from '@esdb-gater/primitives';

/** The delays between attempts and their number. Created by {@link retryPolicy}, and frozen. */
export interface RetryPolicy {
  /** The smallest delay before the first retry. It doubles with every attempt. */
  readonly baseDelayMs: number;
  /** The longest delay. */
  readonly maxDelayMs: number;
  /** The number of attempts, including the first. */
  readonly maxAttempts: number;
}

export interface RetryPolicyOptions {
  /** 0 to 2 147 483 647. @default 100 */
  readonly baseDelayMs?: number;
  /** 0 to 2 147 483 647. A value below `baseDelayMs` caps even the first delay. @default 30 000 */
  readonly maxDelayMs?: number;
  /** At least 1. @default 10 */
  readonly maxAttempts?: number;
}

const REASON = 'retry_policy';
const DELAY = { reason: REASON, min: 0, max: MAX_TIMER_MS } as const;

const made = new WeakSet<object>();

/**
 * Validates a policy and adds the defaults. A policy that this function created is returned unchanged.
 *
 * @throws `invalid_argument` (reason `retry_policy`) with the member, its value and the expectation
 */
export function retryPolicy(options: RetryPolicyOptions = {}): RetryPolicy {
  if (made.has(options)) return options as RetryPolicy;
  const policy: RetryPolicy = Object.freeze({
    baseDelayMs: requireNumber('baseDelayMs', options.baseDelayMs ?? 100, DELAY),
    maxDelayMs: requireNumber('maxDelayMs', options.maxDelayMs ?? 30_000, DELAY),
    maxAttempts: requireInteger('maxAttempts', options.maxAttempts ?? 10, { reason: REASON, min: 1 }),
  });
  made.add(policy);
  return policy;
}
