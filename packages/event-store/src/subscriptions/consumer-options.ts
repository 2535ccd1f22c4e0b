import { requireInteger } from '@esdb-gater/primitives';
import type { SaveSubscriptionParams, SubscriptionRecord } from '@esdb-gater/types';
import type { ConsumerOptions } from './window-consumer.ts';

/**
 * Returns the options of a consumer: its own, and where it leaves one out, that of the subscription.
 *
 * @throws `invalid_argument` (reasons `max_in_flight`, `ack_timeout`, `max_retries`)
 */
export function resolveConsumerOptions(
  params: SaveSubscriptionParams,
  record: Pick<SubscriptionRecord, 'maxInFlight' | 'ackTimeoutMs' | 'maxRetries'>,
): ConsumerOptions {
  const maxInFlight = params.maxInFlight ?? record.maxInFlight;
  const ackTimeoutMs = params.ackTimeoutMs ?? record.ackTimeoutMs;
  const maxRetries = params.maxRetries ?? record.maxRetries;
  return {
    maxInFlight: requireInteger('maxInFlight', maxInFlight, { min: 1, reason: 'max_in_flight' }),
    ackTimeoutMs: requireInteger('ackTimeoutMs', ackTimeoutMs, { min: 1, reason: 'ack_timeout' }),
    maxRetries: requireInteger('maxRetries', maxRetries, { min: 0, reason: 'max_retries' }),
  };
}
