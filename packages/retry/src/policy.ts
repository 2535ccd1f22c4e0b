import { MAX_TIMER_MS } from '@esdb-gater/primitives';
import { invalidArgument } from '@esdb-gater/types';

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

const made = new WeakSet<object>();

/**
 * Validates and completes a policy. One that this function has made is given back as it is.
 *
 * @throws `invalid_argument` (reason `retry_policy`), naming the member, its value and what was expected
 */
export function retryPolicy(options: RetryPolicyOptions = {}): RetryPolicy {
  if (made.has(options)) return options as RetryPolicy;
  const policy: RetryPolicy = Object.freeze({
    baseDelayMs: delay('baseDelayMs', options.baseDelayMs ?? 100),
    maxDelayMs: delay('maxDelayMs', options.maxDelayMs ?? 30_000),
    maxAttempts: attempts(options.maxAttempts ?? 10),
  });
  made.add(policy);
  return policy;
}

function delay(name: string, value: number): number {
  if (typeof value === 'number' && value >= 0 && value <= MAX_TIMER_MS) return value;
  throw refused(name, value, `a number from 0 to ${MAX_TIMER_MS}`);
}

function attempts(value: number): number {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw refused('maxAttempts', value, 'an integer of at least 1');
}

function refused(name: string, value: unknown, expected: string): Error {
  const message = `${name} is ${String(value)}, expected ${expected}`;
  return invalidArgument('retry_policy', message, { member: name, expected });
}
