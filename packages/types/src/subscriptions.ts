import type { RecordedEvent } from './events.ts';
import type { JsonValue } from './json.ts';

/** By what a persistent subscription selects events. */
export type SubscriptionType = 'stream' | 'event_type' | 'event_pattern' | 'event_payload' | 'tags';

/** A persistent subscription and where it stands. */
export interface Subscription {
  readonly storeId: string;
  readonly name: string;
  readonly type: SubscriptionType;
  readonly selector: JsonValue;
  /** An exclusive position, 0 for all, or `latest`. */
  readonly startFrom: number | 'latest';
  /** The position up to which everything is acknowledged. */
  readonly checkpoint: number;
  /** How many positions the checkpoint lies behind the store. */
  readonly lag: number;
  readonly parked: number;
  /** ISO 8601. */
  readonly createdAt: string;
  /** How many consumers are there now. */
  readonly subscribers: number;
}

export interface SaveSubscriptionParams {
  readonly storeId: string;
  readonly name: string;
  readonly type: SubscriptionType;
  readonly selector: JsonValue;
  /** An exclusive position, 0 for all, or `latest`. @default 0 */
  readonly startFrom?: number | 'latest';
  /** Events that one consumer may have unacknowledged. @default 100 */
  readonly maxInFlight?: number;
  /** After this an unacknowledged event comes again. @default 30 000 */
  readonly ackTimeoutMs?: number;
  /** After this many an event is parked. @default 10 */
  readonly maxRetries?: number;
}

export interface NamedSubscription {
  readonly storeId: string;
  readonly name: string;
}

export interface RemoveSubscriptionParams extends NamedSubscription {
  readonly type?: SubscriptionType;
  readonly selector?: JsonValue;
}

export interface AckEventParams extends NamedSubscription {
  readonly streamId: string;
  /** The event's version. */
  readonly eventNumber: number;
  /** Acknowledges all of the stream up to it. @default false */
  readonly upTo?: boolean;
}

export type NackAction = 'retry' | 'park' | 'skip';

export interface NackEventParams extends NamedSubscription {
  readonly streamId: string;
  /** The event's version. */
  readonly eventNumber: number;
  readonly action: NackAction;
  readonly delayMs?: number;
  readonly reason?: string;
}

export interface ListParkedParams extends NamedSubscription {
  readonly after?: number;
  /** 1 to 1 000. @default 100 */
  readonly limit?: number;
}

export interface ParkedEvent {
  readonly event: RecordedEvent;
  readonly reason: string;
  readonly attempts: number;
  /** ISO 8601. */
  readonly parkedAt: string;
}

export interface ReplayParkedParams extends NamedSubscription {
  /** Of events. @default all */
  readonly ids?: readonly string[];
}

export interface ResetSubscriptionParams extends NamedSubscription {
  readonly startFrom: number | 'latest';
}

/** A page of parked events, in order of their positions. */
export interface ParkedPage {
  readonly events: readonly ParkedEvent[];
  /** `after` of the next page; absent at the end. */
  readonly next?: number;
}

/** An event of a persistent subscription as its consumer gets it. */
export interface SubscriptionEvent {
  readonly storeId: string;
  readonly name: string;
  readonly event: RecordedEvent;
  /** How often the event was delivered, from 1. */
  readonly attempt: number;
}
