import type { ChannelName } from '../channel-names.ts';
import type { JsonValue } from '../json.ts';

/** A message on its way into a broker. */
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
  /** What the partition is chosen by. @default the topic */
  readonly partitionKey?: string;
  /** For events of the feed: whose, and where in that store. */
  readonly fed?: FedOrigin;
  readonly traceparent?: string;
  readonly tracestate?: string;
}

export interface FedOrigin {
  readonly storeId: string;
  readonly position: number;
}

/** A message as a broker gives it to readers. */
export interface BrokerRecord {
  readonly id: string;
  readonly topic: string;
  readonly message: JsonValue;
  /** ISO 8601 with milliseconds and `Z`. */
  readonly time: string;
  /** Opaque; who resumes after it misses nothing. */
  readonly position: string;
  readonly traceparent?: string;
  readonly tracestate?: string;
}

/** Where a reader begins. A position is exclusive, a time inclusive. */
export type ReplayFrom = 'earliest' | { readonly position: string } | { readonly time: string };

export interface BrokerHealth {
  readonly status: 'healthy' | 'degraded' | 'unhealthy';
  /** In words, when not healthy. */
  readonly message?: string;
}

/**
 * Carries the records of the ten channels. An adapter neither limits rates nor checks signatures.
 *
 * Order is kept per partition key. Delivery is at least once; a duplicate has the same id.
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
   * Hands over every record of the channel from now on, in batches and in order. At most one tail per channel.
   * Returns at once; a broker that cannot be reached is tried again until the tail is closed.
   */
  tail(channel: ChannelName, handler: (batch: readonly BrokerRecord[]) => void): () => void;
  /**
   * Where the tail stands, once it has handed over everything that was acknowledged before the call, on whichever
   * node. A broker that cannot tell what that is gives within a bounded time what it has.
   */
  position(channel: ChannelName): Promise<string>;
  /**
   * Where `from` lies. `lost` is true when part of what should follow is gone and the rest can be had.
   *
   * @throws `invalid_argument` with reason `position_malformed`, or `position_lost` (with `oldest`)
   */
  resolve(
    channel: ChannelName,
    from: ReplayFrom,
  ): Promise<{ readonly position: string; readonly lost?: boolean }>;
  /** The records after `after` up to and with `until` (a position of the tail), in batches. Ends by itself. */
  read(
    channel: ChannelName,
    after: string,
    until: string,
    options?: { readonly signal?: AbortSignal },
  ): AsyncIterable<readonly BrokerRecord[]>;
  /** True when nothing lies between `after` and `until`. Synchronous, so that a reader can go live in the same turn. */
  caughtUp(channel: ChannelName, after: string, until: string): boolean;
  /** The tail's position without waiting; undefined while it is unknown. */
  tailPosition(channel: ChannelName): string | undefined;
  health(): BrokerHealth;
  /** Sends what waits, for at most its bound, and closes. */
  close(): Promise<void>;
}
