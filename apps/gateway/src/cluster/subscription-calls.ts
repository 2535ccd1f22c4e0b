import type {
  JoinedConsumer,
  ListParkedParams,
  NamedSubscription,
  RemoveSubscriptionParams,
  ReplayParkedParams,
  ResetSubscriptionParams,
  SaveSubscriptionParams,
  Subscriptions,
} from '@esdb-gater/types';

/** The call between nodes for the persistent subscriptions of a store that the called node serves. */
export const SUBSCRIPTION_METHOD = 'subscription';

/** The operations on a subscription that need no consumer, as another node asks for them. */
interface Operations {
  readonly save: SaveSubscriptionParams;
  readonly remove: RemoveSubscriptionParams;
  readonly list: { readonly storeId: string };
  readonly get: NamedSubscription;
  readonly listParked: ListParkedParams;
  readonly replayParked: ReplayParkedParams;
  readonly reset: ResetSubscriptionParams;
}

export type Operation = keyof Operations;

export type OperationParams<O extends Operation> = Operations[O];

/** Runs each operation. */
export const OPERATIONS: {
  readonly [O in Operation]: (
    subscriptions: Subscriptions,
    params: OperationParams<O>,
    maker: string,
  ) => Promise<unknown>;
} = {
  save: (subscriptions, params, maker) => subscriptions.save(params, maker),
  remove: (subscriptions, params) => subscriptions.remove(params),
  list: (subscriptions, { storeId }) => subscriptions.list(storeId),
  get: (subscriptions, params) => subscriptions.get(params),
  listParked: (subscriptions, params) => subscriptions.listParked(params),
  replayParked: (subscriptions, params) => subscriptions.replayParked(params),
  reset: (subscriptions, params) => subscriptions.reset(params),
};

export function isOperation(value: unknown): value is Operation {
  return typeof value === 'string' && Object.hasOwn(OPERATIONS, value);
}

/** What a call of {@link SUBSCRIPTION_METHOD} has: an operation, or one of a consumer. */
export type SubscriptionCall =
  | { readonly operation: Operation; readonly params: unknown; readonly maker?: string }
  | {
      readonly operation: 'join';
      readonly consumerId: string;
      readonly params: SaveSubscriptionParams;
      readonly maker: string;
    }
  | {
      readonly operation: 'ack';
      readonly consumerId: string;
      readonly params: Parameters<JoinedConsumer['ack']>[0];
    }
  | {
      readonly operation: 'nack';
      readonly consumerId: string;
      readonly params: Parameters<JoinedConsumer['nack']>[0];
    }
  | { readonly operation: 'leave'; readonly consumerId: string; readonly lost: boolean }
  /** The caller serves the subscriptions of the store from now on. */
  | { readonly operation: 'release'; readonly storeId: string };

/** Notification: an event for a consumer of the receiver. */
export interface ConsumerEvent {
  readonly consumerId: string;
  /** The `RecordedEvent` as JSON, in a string, so that nothing in it changes on its way. */
  readonly eventText: string;
  readonly attempt: number;
}

/** Notification: a consumer of the receiver has ended. */
export interface ConsumerEnded {
  readonly consumerId: string;
  readonly code: string;
  readonly message: string;
}

/** Notification: whether a consumer of the sender takes events. */
export interface ConsumerReady {
  readonly consumerId: string;
  readonly ready: boolean;
}
