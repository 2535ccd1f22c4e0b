import { calculateDelay, type RetryPolicy } from '@esdb-gater/retry';

/** The width of the reconnect delay, as a multiple of the delay of a retried call. */
const SPREAD = 4;

/**
 * Returns the milliseconds before the next connection attempt: uniform from 0 to four times the delay of a retried
 * call, at most `maxDelayMs`. When a gateway stops, all of its clients reconnect at once and only randomness spreads
 * them, so this delay starts at 0, unlike the delay between calls.
 *
 * @param failures how many rounds over all gateways failed in a row
 */
export function reconnectDelay(failures: number, policy: RetryPolicy, random: () => number): number {
  const delay = calculateDelay(failures, policy, random);
  return random() * Math.min(policy.maxDelayMs, SPREAD * delay);
}
