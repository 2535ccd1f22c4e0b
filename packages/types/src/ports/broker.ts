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
  /** For events of a feed: their store, and where they are in it. */
  readonly fed?: FedOrigin;
  readonly traceparent?: string;
  readonly tracestate?: string;
}

export interface FedOrigin extends StorePoint {
  readonly storeId: string;
  /** True for the first event after the feed has gone back: what it published before counts no longer. */
  readonly wentBack?: boolean;
}

/** A message as a broker hands it to readers. */
export interface BrokerRecord {
  readonly id: string;
  readonly topic: string;
  readonly message: JsonValue;
  /** ISO 8601 with milliseconds and `Z`. */
  readonly time: string;
  /** Opaque; a reader that resumes after it misses nothing. */
  readonly position: string;
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
  /** A pattern. A broker may leave out records whose topic does not match it. */
  readonly topic?: string;
  /**
   * Is called with a position up to which every record has been given, when a broker knows more than the positions of
   * the records tell. The last one stands for `until` when part of the history cannot be read at present.
   */
  readonly onReached?: (position: string) => void;
}

/**
 * Carries the records of the ten channels. An adapter neither limits rates nor checks signatures.
 *
 * Keeps the order per partition key. Delivers at least once; a duplicate has the same id.
 */
export interface Broker {
  /**
   * Resolves once the broker has accepted the record.
   *
   * @throws `unavailable` when it did not accept within its bound, `overloaded` when what may wait is full
   */
  append(
    channel: ChannelName,
    record: OutgoingRecord,
    options?: { readonly signal?: AbortSignal },
  ): Promise<{ readonly position?: string }>;
  /**
   * Hands over every record of the channel from now on, in batches and in order. A channel has at most one tail.
   * Returns at once, and keeps trying to reach the broker until the tail is closed.
   */
  tail(channel: ChannelName, handler: (batch: readonly BrokerRecord[]) => void): () => void;
  /**
   * Returns the tail's position once it has handed over everything that was acknowledged before the call, on any node.
   * A broker that cannot tell what that is returns within a bounded time what it knows.
   */
  position(channel: ChannelName): Promise<string>;
  /**
   * Returns the position of `from`. `lost` is true when part of what should follow is gone and the rest can be read.
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
   * Returns true when nothing lies between `after` and `until`, or nothing that `topic` (a pattern) could match.
   * Synchronous, so that a reader can go live in the same turn.
   */
  caughtUp(channel: ChannelName, after: string, until: string, topic?: string): boolean;
  /** Returns the tail's position without waiting; undefined while it is unknown. */
  tailPosition(channel: ChannelName): string | undefined;
  health(): BrokerHealth;
  /** Sends what waits, within a bounded time, and closes. */
  close(): Promise<void>;
}
