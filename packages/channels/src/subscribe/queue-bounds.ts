import { requireInteger } from '@esdb-gater/primitives';
import { LIMITS, type SubscriberOptions } from '@esdb-gater/types';

const RULE = { reason: 'queue_option', min: 1 } as const;

export interface QueueBounds {
  readonly queueBytes: number;
  readonly queueMessages: number;
}

/**
 * Validates the bounds of a queue and fills in the defaults.
 *
 * @throws `invalid_argument` (reason `queue_option`)
 */
export function queueBounds(options: Pick<SubscriberOptions, 'queueBytes' | 'queueMessages'>): QueueBounds {
  return {
    queueBytes: requireInteger('queueBytes', options.queueBytes ?? LIMITS.queueBytes, RULE),
    queueMessages: requireInteger('queueMessages', options.queueMessages ?? LIMITS.queueMessages, RULE),
  };
}
