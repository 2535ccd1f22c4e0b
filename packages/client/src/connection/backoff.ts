import { calculateDelay, type RetryPolicy } from '@esdb-gater/retry';

/** How much wider than the delay of a retried call the first pause is spread. */
const SPREAD = 4;

/**
 * Milliseconds before the next connection: uniform from 0 to four times the delay of a retried call, at most
 * `maxDelayMs`. When a gateway ends, all of its clients come at once, and only chance keeps them apart; so unlike
 * the delay between calls this one begins at 0.
 *
 * @param failures rounds over all gateways that failed in a row
 */
export function reconnectDelay(failures: number, policy: RetryPolicy, random: () => number): number {
  const delay = calculateDelay(failures, policy, random);
  return random() * Math.min(policy.maxDelayMs, SPREAD * delay);
}
