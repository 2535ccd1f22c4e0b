import type { JsonValue } from '@esdb-gater/types';

/** An event as the feed publishes it, read again from its store. */
export interface FedEvent {
  readonly topic: string;
  /** The event's id. */
  readonly id: string;
  /** ISO 8601 with milliseconds and `Z`. */
  readonly time: string;
  readonly message: JsonValue;
  /** In its store. */
  readonly position: number;
}

/** The stores whose events are fed to the channel `events`, to be read again from there. */
export interface FeedReplaySource {
  /** The stores that are fed. Asked often: it must be cheap. */
  stores(): readonly string[];
  /** The events after `after` up to and with `until`, in order of their positions. */
  read(
    storeId: string,
    after: number,
    until: number,
    options: { readonly signal?: AbortSignal },
  ): AsyncIterable<readonly FedEvent[]>;
  /**
   * The position of the last event before `time` (RFC 3339), 0 when there is none: what follows it is at or
   * after `time`.
   */
  positionAtTime(storeId: string, time: string): Promise<number>;
  /** The newest position of a store. */
  newest(storeId: string): Promise<number>;
  /** True for a store that ends with this process, so that positions of an earlier one mean nothing. */
  ephemeral?(storeId: string): boolean;
}
