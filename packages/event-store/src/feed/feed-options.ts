import { requireInteger } from '@esdb-gater/primitives';
import { LIMITS } from '@esdb-gater/types';
import { compileFeedTopic, DEFAULT_FEED_TOPIC, type FeedTopic } from './feed-topic.ts';

export interface FeedOptions {
  /** @default 'default' */
  readonly realm?: string;
  /** The setting `feed.topic`. @default '{storeId}.{streamId}.{type}' */
  readonly topicTemplate?: string;
  /** How many events are handed to the broker at a time, 1 to 1 000. @default 1 000 */
  readonly maxInFlight?: number;
  /**
   * How often the source is polled when nothing wakes the feed. @default 250 without `onCommitted`, 5 000 with it,
   * where it only makes up for a lost wake-up
   */
  readonly pollMs?: number;
  /** How many published events cause a save of the checkpoint. @default 1 000 */
  readonly checkpointEvents?: number;
  /** How long after the first unsaved event the checkpoint is saved at the latest. @default 100 */
  readonly checkpointDelayMs?: number;
  /** The delay before the first retry; it doubles up to `maxDelayMs`. @default 100 */
  readonly baseDelayMs?: number;
  /** @default 5 000 */
  readonly maxDelayMs?: number;
  /** How long `close` waits for the broker to accept what is in flight. @default 2 000 */
  readonly closeGraceMs?: number;
}

export interface ResolvedFeedOptions {
  readonly realm: string;
  readonly topic: FeedTopic;
  readonly maxInFlight: number;
  readonly pollMs: number;
  readonly checkpointEvents: number;
  readonly checkpointDelayMs: number;
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
  readonly closeGraceMs: number;
}

/**
 * Validates the options and fills in the defaults.
 *
 * @throws `invalid_argument` with the option's name, or `feed_topic`, as reason
 */
export function resolveFeedOptions(options: FeedOptions, isWoken: boolean): ResolvedFeedOptions {
  const maxInFlight = requireInteger('maxInFlight', options.maxInFlight ?? LIMITS.pageCount, { min: 1 });
  return Object.freeze({
    realm: options.realm ?? 'default',
    topic: compileFeedTopic(options.topicTemplate ?? DEFAULT_FEED_TOPIC),
    maxInFlight: Math.min(maxInFlight, LIMITS.pageCount),
    pollMs: requireInteger('pollMs', options.pollMs ?? (isWoken ? 5_000 : 250), { min: 1 }),
    checkpointEvents: requireInteger('checkpointEvents', options.checkpointEvents ?? 1_000, { min: 1 }),
    checkpointDelayMs: requireInteger('checkpointDelayMs', options.checkpointDelayMs ?? 100, { min: 0 }),
    baseDelayMs: requireInteger('baseDelayMs', options.baseDelayMs ?? 100, { min: 1 }),
    maxDelayMs: requireInteger('maxDelayMs', options.maxDelayMs ?? 5_000, { min: 1 }),
    closeGraceMs: requireInteger('closeGraceMs', options.closeGraceMs ?? 2_000, { min: 0 }),
  });
}
