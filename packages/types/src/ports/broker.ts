import type { ChannelName } from '../channel-names.ts';
import type { JsonValue } from '../json.ts';
import type { StorePoint } from './event-store.ts';

/** A message to append to a broker. */
export interface OutgoingRecord {
  /** The message's id. */
  readonly id: string;
  readonly topic: string;
  readonly message: JsonValue;
  /** ISO 8601 with milliseconds and `Z`. */
  readonly time: string;
  /** CloudEvents type: the event's type for the feed, else `esdb_gater.message`. */
  readonly type: string;
  /** CloudEvents source, an `esdb://` name. */
  readonly source: string;
  /** The key that decides the partition. @default the topic */
  readonly partitionKey?: string;
  /** For events of a feed: their store and position. */
  readonly fed?: FedOrigin;
  readonly traceparent?: string;
  readonly tracestate?: string;
}

export interface FedOrigin extends StorePoint {
  readonly storeId: string;
  /** True for the first event after the feed went back: earlier positions of the feed are no longer valid. */
  readonly wentBack?: boolean;
}

/** A message as a broker hands it to readers. */
export interface BrokerRecord {
  readonly id: string;
  readonly topic: string;
  readonly message: JsonValue;
  /** ISO 8601 with milliseconds and `Z`. */
  readonly time: string;
  /** Opaque; a reader that resumes after it does not miss a record. */
  readonly position: string;
  /** The message as JSON, from a broker that has encoded it already. */
  readonly messageText?: string;
  readonly traceparent?: string;
  readonly tracestate?: string;
}

/** Where a reader starts. A position is exclusive, a time inclusive. */
export type ReplayFrom = 'earliest' | { readonly position: string } | { readonly time: string };

export interface BrokerHealth {
  readonly status: 'healthy' | 'degraded' | 'unhealthy';
  /** Says why, when not healthy. */
  readonly message?: string;
}

export interface ReplayOptions {
  readonly signal?: AbortSignal;
  /** A pattern. A broker may omit records with topics that do not match it. */
  readonly topic?: string;
  /**
   * Called with a position up to which every record has been yielded, when a broker knows more than the positions of
   * the records show. The last one replaces `until` when part of the history cannot be read at present.
   */
  readonly onReached?: (position: string) => void;
}

/**
 * Transports the records of the ten channels. An adapter neither limits rates nor verifies signatures.
 *
 * Keeps the order per partition key. Delivers at least once; a duplicate has the same id.
 */
export interface Broker {
  /**
   * Resolves once the broker has accepted the record.
   *
   * @throws `unavailable` when the record was not accepted within the time limit, `overloaded` when the queue is full
   */
  append(
    channel: ChannelName,
    record: OutgoingRecord,
    options?: { readonly signal?: AbortSignal },
  ): Promise<{ readonly position?: string }>;
  /**
   * Delivers every record of the channel from now on, in batches and in order. A channel has at most one tail. Returns
   * at once, and retries the connection to the broker until the tail is closed.
   */
  tail(channel: ChannelName, handler: (batch: readonly BrokerRecord[]) => void): () => void;
  /**
   * Returns the tail's position once it has delivered every record that any node acknowledged before the call. A broker
   * that cannot determine this position returns the last known one within a bounded time.
   */
  position(channel: ChannelName): Promise<string>;
  /**
   * Returns the position of `from`. `lost` is true when some of the records that should follow have expired and the
   * rest can be read.
   *
   * @throws `invalid_argument` with reason `position_malformed`, or `position_lost` (with `oldest`)
   */
  resolve(
    channel: ChannelName,
    from: ReplayFrom,
  ): Promise<{ readonly position: string; readonly lost?: boolean }>;
  /** Reads the records after `after` up to and including `until` (a position of the tail), in batches. */
  read(
    channel: ChannelName,
    after: string,
    until: string,
    options?: ReplayOptions,
  ): AsyncIterable<readonly BrokerRecord[]>;
  /**
   * Returns true when no record between `after` and `until` could match `topic` (a pattern). Synchronous, so that a
   * reader can go live in the same turn of the event loop.
   */
  caughtUp(channel: ChannelName, after: string, until: string, topic?: string): boolean;
  /** Returns the tail's position without waiting; undefined while it is unknown. */
  tailPosition(channel: ChannelName): string | undefined;
  health(): BrokerHealth;
  /** Sends the queued records within a bounded time, and closes. */
  close(): Promise<void>;
}
