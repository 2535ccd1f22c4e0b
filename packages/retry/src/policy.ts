import { MAX_TIMER_MS, requireInteger, requireNumber } from '@esdb-gater/primitives';

/** How long to wait between attempts, and how many there are. Made by {@link retryPolicy}, and frozen. */
export interface RetryPolicy {
  /** Least delay before the first retry. It doubles with every attempt. */
  readonly baseDelayMs: number;
  /** No delay is longer. */
  readonly maxDelayMs: number;
  /** Attempts in all, the first one counted. */
  readonly maxAttempts: number;
}

export interface RetryPolicyOptions {
  /** 0 to 2 147 483 647. @default 100 */
  readonly baseDelayMs?: number;
  /** 0 to 2 147 483 647. One below `baseDelayMs` caps the first delay already. @default 30 000 */
  readonly maxDelayMs?: number;
  /** At least 1. @default 10 */
  readonly maxAttempts?: number;
}

const REASON = 'retry_policy';
const DELAY = { reason: REASON, min: 0, max: MAX_TIMER_MS } as const;

const made = new WeakSet<object>();

/**
 * Validates and completes a policy. One that this function has made is given back as it is.
 *
 * @throws `invalid_argument` (reason `retry_policy`), naming the member, its value and what was expected
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
