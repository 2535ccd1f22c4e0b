import { invalidArgument, LIMITS, type SubscriberOptions } from '@esdb-gater/types';

export interface QueueBounds {
  readonly queueBytes: number;
  readonly queueMessages: number;
}

/**
 * Validates and completes the bounds of a queue.
 *
 * @throws `invalid_argument` (reason `queue_option`)
 */
export function queueBounds(options: Pick<SubscriberOptions, 'queueBytes' | 'queueMessages'>): QueueBounds {
  return {
    queueBytes: bound('queueBytes', options.queueBytes ?? LIMITS.queueBytes),
    queueMessages: bound('queueMessages', options.queueMessages ?? LIMITS.queueMessages),
  };
}

function bound(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw invalidArgument('queue_option', `${name} is ${String(value)}, expected an integer of at least 1`);
}
