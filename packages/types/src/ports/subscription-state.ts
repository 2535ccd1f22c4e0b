import type { JsonValue } from '../json.ts';
import type { SubscriptionType } from '../subscriptions.ts';
import type { FeedPosition } from './event-store.ts';

/** What a persistent subscription is made with. */
export interface NewSubscription {
  readonly name: string;
  readonly type: SubscriptionType;
  readonly selector: JsonValue;
  readonly startFrom: number | 'latest';
  /** For consumers that do not name their own. */
  readonly maxInFlight: number;
  readonly ackTimeoutMs: number;
  readonly maxRetries: number;
  /** Unix milliseconds. */
  readonly createdMs: number;
  /** Who made it: subscriptions are bounded per maker. */
  readonly maker: string;
  /** Where it starts. */
  readonly checkpoint: FeedPosition;
}

/** A persistent subscription as a store keeps it. */
export interface SubscriptionRecord extends NewSubscription {
  /** How many events are parked and not being replayed. */
  readonly parked: number;
}

/** An event that was given up. The event itself stays in the store. */
export interface ParkedRecord {
  readonly position: number;
  readonly eventId: string;
  readonly reason: string;
  readonly attempts: number;
  /** Unix milliseconds. */
  readonly parkedMs: number;
}

/** Which of the parked events of a subscription. */
export interface ParkedFilter {
  /** True for those that are being replayed, false for those that wait for somebody. */
  readonly replaying: boolean;
  /** An exclusive position. */
  readonly after: number;
  /** At most 1 000. */
  readonly limit: number;
}

export interface ParkedRecords {
  /** In order of their positions. */
  readonly records: readonly ParkedRecord[];
  /** True when more follow. */
  readonly more: boolean;
}

/**
 * Keeps the persistent subscriptions of a store, with the store. What a promise of it has confirmed survives the end of
 * the process, unless the store does not either.
 */
export interface SubscriptionState {
  /** Returns all subscriptions, in the order of the UTF-8 bytes of their names. */
  list(): Promise<readonly SubscriptionRecord[]>;
  load(name: string): Promise<SubscriptionRecord | undefined>;
  /** Keeps a new subscription. Returns false, and changes nothing, when there is one of that name. */
  create(subscription: NewSubscription): Promise<boolean>;
  /**
   * Saves a checkpoint, unless the saved one is of a later turn, or further in the same turn, or the subscription does
   * not exist.
   */
  saveCheckpoint(name: string, position: FeedPosition): Promise<void>;
  /**
   * Starts a subscription anew: replaces `startFrom` and the checkpoint, whose turn must be later, and forgets the
   * parked events after its position. Does nothing when the subscription does not exist.
   */
  reset(name: string, startFrom: number | 'latest', checkpoint: FeedPosition): Promise<void>;
  /** Removes a subscription with its checkpoint and parked events. Returns false when it does not exist. */
  remove(name: string): Promise<boolean>;

  /**
   * Parks an event, in place of an earlier record of its position; it is no longer being replayed. Does nothing when the
   * subscription does not exist.
   */
  park(name: string, record: ParkedRecord): Promise<void>;
  listParked(name: string, filter: ParkedFilter): Promise<ParkedRecords>;
  /**
   * Marks parked events for a replay: those with the ids (at most 1 000, in lower case), else all. Returns how many were
   * marked now. A marked event stays until `unpark`.
   */
  markReplay(name: string, eventIds?: readonly string[]): Promise<number>;
  /** Forgets parked events by their positions (at most 1 000). */
  unpark(name: string, positions: readonly number[]): Promise<void>;
}
