import type { JsonValue } from '../json.ts';
import type { StorePoint } from './event-store.ts';

/** An event as the feed publishes it, read again from its store. Its position and proof are those in its store. */
export interface FedEvent extends StorePoint {
  readonly topic: string;
  /** The event's id. */
  readonly id: string;
  /** ISO 8601 with milliseconds and `Z`. */
  readonly time: string;
  readonly message: JsonValue;
}

export interface FeedReadOptions {
  readonly signal?: AbortSignal;
  /** Returns false for a topic whose events the reader does not want. @default all are wanted */
  readonly matches?: (topic: string) => boolean;
  /** Is called with the position up to which every wanted event has been given, after each page. */
  readonly onReached?: (point: StorePoint) => void;
}

/** Reads the stores that are fed to the channel `events`, so that an in-process broker can replay their events. */
export interface FeedReplaySource {
  /** Returns the stores that are fed, served at present or not. Called often, so it must be cheap. */
  stores(): readonly string[];
  /** Returns the position at which the feed of a store started: every event up to it was published before. */
  fedTo(storeId: string): Promise<StorePoint>;
  /** Returns true when the store has the event that proves the point, or when the point has no proof. */
  proves(storeId: string, point: StorePoint): Promise<boolean>;
  /** Reads the events after `after` up to and including `until`, in order of their positions. */
  read(
    storeId: string,
    after: number,
    until: number,
    options: FeedReadOptions,
  ): AsyncIterable<readonly FedEvent[]>;
  /** Returns the last event before `time` (RFC 3339), position 0 when there is none. */
  pointAtTime(storeId: string, time: string): Promise<StorePoint>;
  /** Returns false when no event of the store can match the topic pattern. @default always true */
  canMatch?(storeId: string, pattern: string): boolean;
  /**
   * Returns true for a store that exists only in this process, so that positions without a proof are invalid after a
   * restart.
   */
  ephemeral?(storeId: string): boolean;
}
