import { invalidArgument, type SubscriberOptions } from '@esdb-gater/types';

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
    queueBytes: bound('queueBytes', options.queueBytes ?? 4_194_304),
    queueMessages: bound('queueMessages', options.queueMessages ?? 10_000),
  };
}

function bound(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw invalidArgument('queue_option', `${name} is ${String(value)}, expected an integer of at least 1`);
}
