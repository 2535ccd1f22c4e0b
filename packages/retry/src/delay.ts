import { requireInteger } from '@esdb-gater/primitives';
import { type RetryPolicyOptions, retryPolicy } from './policy.ts';

/** How far above its least value a delay may lie, so that clients that failed together do not return together. */
const SPREAD = 1.25;

/** Where capped delays begin, as a part of the cap: without it all capped clients would come back at once. */
const CAPPED_FLOOR = 0.75;

/**
 * The delay after an attempt: uniform in `base * 2^n .. 1.25 * base * 2^n`, and uniform in `0.75 * max .. max`
 * once the upper end of that passes `max`.
 *
 * @param attempt the attempt that failed, from 0
 * @param random uniform in 0 (inclusive) to 1; `Math.random` by default
 * @returns milliseconds, with fractions
 * @throws `invalid_argument` (reasons `attempt` and `retry_policy`)
 */
export function calculateDelay(
  attempt: number,
  policy: RetryPolicyOptions = {},
  random: () => number = Math.random,
): number {
  requireInteger('attempt', attempt, { min: 0 });
  const { baseDelayMs, maxDelayMs } = retryPolicy(policy);
  // Past 2^1023 the power is infinite, and zero times infinity is no number.
  const least = baseDelayMs === 0 ? 0 : baseDelayMs * 2 ** attempt;
  if (least * SPREAD <= maxDelayMs) return between(least, least * SPREAD, random);
  return between(maxDelayMs * CAPPED_FLOOR, maxDelayMs, random);
}

function between(low: number, high: number, random: () => number): number {
  return low + random() * (high - low);
}
