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
