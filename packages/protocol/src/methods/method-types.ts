import type {
  AckEventParams,
  ChannelInfo,
  ChannelName,
  EventQuery,
  ListParkedParams,
  NackEventParams,
  NamedSubscription,
  ParkedPage,
  PublishParams,
  PublishResult,
  ReadStreamParams,
  RemoveSubscriptionParams,
  ReplayParkedParams,
  ResetSubscriptionParams,
  SaveSubscriptionParams,
  StoreMethods,
  StreamPage,
  SubscribeParams,
  SubscribeResult,
  Subscription,
} from '@esdb-gater/types';
import type {
  AuthenticateParams,
  AuthenticateResult,
  ClusterInfo,
  HealthResult,
  RegisterWorkerParams,
  RevokeTokenParams,
  UnregisterWorkerParams,
} from './gateway-types.ts';
import type { MethodName } from './method-table.ts';
/** A stream, or a query, or neither for the whole store. */
export interface FollowEventsParams {
  readonly storeId: string;
  readonly streamId?: string;
  readonly query?: EventQuery;
  /** An exclusive position. @default 0 */
  readonly after?: number;
  /**
   * The id of the event at `after`: proves that the store still has the history that the position belongs to. Without it
   * only a position beyond the store's end is found to be lost.
   */
  readonly afterId?: string;
}

export interface UnsubscribeParams {
  readonly channel: ChannelName;
  readonly topic: string;
}

/** Neither parameters nor a result that anybody needs. */
type Empty = Record<string, never>;

interface Method<Params, Result> {
  readonly params: Params;
  readonly result: Result;
}

/** What each method of the protocol takes and what it resolves to. */
export interface Methods extends Omit<StoreMethods, 'quickHealthCheck'> {
  readonly streamForward: Method<ReadStreamParams, StreamPage>;
  readonly streamBackward: Method<ReadStreamParams, StreamPage>;
  readonly followEvents: Method<FollowEventsParams, { readonly followId: string }>;
  readonly unfollow: Method<{ readonly followId: string }, { readonly removed: boolean }>;
  readonly saveSubscription: Method<SaveSubscriptionParams, { readonly subscription: Subscription }>;
  readonly leaveSubscription: Method<NamedSubscription, { readonly left: boolean }>;
  readonly removeSubscription: Method<RemoveSubscriptionParams, { readonly removed: boolean }>;
  readonly ackEvent: Method<AckEventParams, { readonly checkpoint: number }>;
  readonly nackEvent: Method<NackEventParams, { readonly checkpoint: number }>;
  readonly getSubscriptions: Method<
    { readonly storeId: string },
    { readonly subscriptions: readonly Subscription[] }
  >;
  readonly listParked: Method<ListParkedParams, ParkedPage>;
  readonly replayParked: Method<ReplayParkedParams, { readonly count: number }>;
  readonly resetSubscription: Method<ResetSubscriptionParams, Empty>;
  readonly publish: Method<PublishParams, PublishResult>;
  readonly subscribe: Method<SubscribeParams, SubscribeResult>;
  readonly unsubscribe: Method<UnsubscribeParams, { readonly removed: boolean }>;
  readonly channelInfo: Method<Empty, { readonly channels: readonly ChannelInfo[] }>;
  readonly authenticate: Method<AuthenticateParams, AuthenticateResult>;
  readonly health: Method<Empty, HealthResult>;
  readonly clusterInfo: Method<Empty, ClusterInfo>;
  /** As the gateway answers it: it counts those workers that answer the probe. */
  readonly quickHealthCheck: Method<{ readonly storeId: string }, { readonly workers: number }>;
  readonly registerWorker: Method<
    RegisterWorkerParams,
    { readonly workerId: string; readonly nodeId: string }
  >;
  readonly unregisterWorker: Method<UnregisterWorkerParams, { readonly removed: boolean }>;
  readonly revokeToken: Method<RevokeTokenParams, { readonly id: string }>;
}

/** The parameters of a method, without `token`, which any call may have and which the session takes out. */
export type ParamsOf<M extends MethodName> = Methods[M]['params'];

/** What a method resolves to. */
export type ResultOf<M extends MethodName> = Methods[M]['result'];
