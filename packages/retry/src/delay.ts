import { requireInteger } from '@esdb-gater/primitives';
import { type RetryPolicyOptions, retryPolicy } from './policy.ts';

/** The largest delay, as a multiple of the smallest, so that clients that failed together do not retry together. */
const SPREAD = 1.25;

/** The smallest capped delay, as a part of the cap. Without it all capped clients would retry at once. */
const CAPPED_FLOOR = 0.75;

/**
 * Returns the delay after an attempt: uniform in `base * 2^n .. 1.25 * base * 2^n`, or uniform in `0.75 * max .. max`
 * once the upper end of that exceeds `max`.
 *
 * @param attempt the attempt that failed, from 0
 * @param random returns a number from 0 (inclusive) to 1 (exclusive); `Math.random` by default
 * @returns milliseconds, not rounded
 * @throws `invalid_argument` (reasons `attempt` and `retry_policy`)
 */
export function calculateDelay(
  attempt: number,
  policy: RetryPolicyOptions = {},
  random: () => number = Math.random,
): number {
  requireInteger('attempt', attempt, { min: 0 });
  const { baseDelayMs, maxDelayMs } = retryPolicy(policy);
  // The power is infinite past 2^1023, and zero times infinity is NaN.
  const least = baseDelayMs === 0 ? 0 : baseDelayMs * 2 ** attempt;
  if (least * SPREAD <= maxDelayMs) return between(least, least * SPREAD, random);
  return between(maxDelayMs * CAPPED_FLOOR, maxDelayMs, random);
}

function between(low: number, high: number, random: () => number): number {
  return low + random() * (high - low);
}
