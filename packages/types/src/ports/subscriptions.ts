import type { GaterError } from '../gater-error.ts';
import type {
  AckEventParams,
  ListParkedParams,
  NackEventParams,
  NamedSubscription,
  ParkedPage,
  RemoveSubscriptionParams,
  ReplayParkedParams,
  ResetSubscriptionParams,
  SaveSubscriptionParams,
  Subscription,
} from '../subscriptions.ts';

/** An event on its way to a consumer. */
export interface SubscriptionDelivery {
  readonly storeId: string;
  readonly name: string;
  /** The `RecordedEvent` as JSON. */
  readonly eventText: string;
  /** How often the event was delivered, from 1. */
  readonly attempt: number;
}

/** The receiving end of a persistent subscription. None of its functions may throw. */
export interface SubscriptionConsumer {
  /** Takes an event. Never called before `join` has resolved, nor after `ended` or `leave`. */
  deliver(delivery: SubscriptionDelivery): void;
  /** Returns false while it takes no more; call `drained` once it does again. @default always true */
  isReady?(): boolean;
  /** Tells that the subscription has ended for this consumer: it was removed, or its store has left. */
  ended(error: GaterError): void;
}

/** A consumer that has joined a persistent subscription. */
export interface JoinedConsumer {
  readonly subscription: Subscription;
  /**
   * Acknowledges an event; with `upTo` also the earlier ones of its stream that this consumer has. Has no effect on an
   * event that was acknowledged before, or that was handed over to another consumer.
   *
   * @returns the position up to which everything is acknowledged
   * @throws `invalid_argument` (reason `not_delivered`) for an event that was never sent
   */
  ack(params: Pick<AckEventParams, 'streamId' | 'eventNumber' | 'upTo'>): Promise<number>;
  /** Refuses an event. @returns and @throws as `ack` */
  nack(params: Omit<NackEventParams, keyof NamedSubscription>): Promise<number>;
  /** Tells that the consumer takes events again. */
  drained(): void;
  /**
   * Hands the events that are not acknowledged over to the other consumers.
   *
   * @param lost the consumer did not leave by itself: its events count as failed once more
   */
  leave(lost?: boolean): void;
}

/** How a persistent subscription is doing. */
export interface SubscriptionStats {
  readonly storeId: string;
  /** Empty for those that were removed, whose retries still count. */
  readonly name: string;
  readonly consumers: number;
  /** How many positions the checkpoint lies behind the newest one that is known. */
  readonly lag: number;
  readonly parked: number;
  readonly inFlight: number;
  /** How often events were delivered again, since this process has the subscription. */
  readonly retries: number;
  /** How long the oldest event that was delivered waits for its acknowledgement; 0 when there is none. */
  readonly oldestUnackedMs: number;
}

/** The persistent subscriptions of the stores of a process. */
export interface Subscriptions {
  /**
   * Makes a subscription where there is none, and returns it.
   *
   * @param maker who calls, for the bound of subscriptions per maker. @default the process
   * @throws `invalid_argument` (reasons `subscription_mismatch`, `too_many_subscriptions`), `store_not_found`,
   * `no_workers`, what the store throws
   */
  save(params: SaveSubscriptionParams, maker?: string): Promise<Subscription>;
  /** Makes a subscription where there is none, and adds a consumer. @throws as `save` */
  join(
    params: SaveSubscriptionParams,
    consumer: SubscriptionConsumer,
    maker?: string,
  ): Promise<JoinedConsumer>;
  /**
   * Removes a subscription; its consumers end with `subscription_not_found`. Returns false when it does not exist.
   *
   * @throws `invalid_argument` (reason `subscription_mismatch`) when it has another type or selector than those named
   */
  remove(params: RemoveSubscriptionParams): Promise<boolean>;
  list(storeId: string): Promise<readonly Subscription[]>;
  /** @throws `subscription_not_found` */
  get(named: NamedSubscription): Promise<Subscription>;
  /** @throws `subscription_not_found` */
  listParked(params: ListParkedParams): Promise<ParkedPage>;
  /** Delivers parked events again. Returns how many. @throws `subscription_not_found` */
  replayParked(params: ReplayParkedParams): Promise<number>;
  /** Starts a subscription anew from a position. @throws `subscription_not_found` */
  reset(params: ResetSubscriptionParams): Promise<void>;
  /** Only of the subscriptions that were in use since the process started. */
  stats(): readonly SubscriptionStats[];
  /** Why subscriptions are not healthy. */
  problems(): readonly { readonly storeId: string; readonly message: string }[];
  /** Ends all consumers with `unavailable`, and saves the checkpoints. */
  close(): Promise<void>;
}
