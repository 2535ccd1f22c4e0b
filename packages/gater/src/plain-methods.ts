import type { MethodName, ParamsOf, ResultOf } from '@esdb-gater/protocol';
import type { CallOptions } from './gater.ts';
import type { InStore } from './in-store.ts';

type PlainCall<M extends MethodName> =
  ParamsOf<M> extends Record<string, never>
    ? (params?: ParamsOf<M>, options?: CallOptions) => Promise<ResultOf<M>>
    : (params: InStore<ParamsOf<M>>, options?: CallOptions) => Promise<ResultOf<M>>;

/** The methods that carry no events: parameters and results of the protocol, unchanged. */
export interface PlainMethods {
  /** Returns the version of a stream, -1 when it does not exist. */
  readonly getVersion: PlainCall<'getVersion'>;
  /** Returns whether a stream exists and is not deleted. */
  readonly streamExists: PlainCall<'streamExists'>;
  /** Lists the streams of a store, in the order of their UTF-8 bytes. */
  readonly getStreams: PlainCall<'getStreams'>;
  /** Deletes a stream. A later append begins it again with the next version. */
  readonly deleteStream: PlainCall<'deleteStream'>;
  /** Follows a stream or a query without acknowledgements: stored events, then live ones, as notifications. */
  readonly followEvents: PlainCall<'followEvents'>;
  /** Ends a `followEvents`. */
  readonly unfollow: PlainCall<'unfollow'>;
  /** Returns the version that a stream had at a time. */
  readonly versionAt: PlainCall<'versionAt'>;
  /** Checks the hash chain of a stream, when the store keeps one. */
  readonly verifyStream: PlainCall<'verifyStream'>;
  /** Writes a snapshot, or overwrites the one of the same version. */
  readonly recordSnapshot: PlainCall<'recordSnapshot'>;
  /** Reads a snapshot, by default the newest. */
  readonly readSnapshot: PlainCall<'readSnapshot'>;
  /** Lists snapshots, newest first. */
  readonly listSnapshots: PlainCall<'listSnapshots'>;
  /** Deletes one snapshot, or all of them. */
  readonly deleteSnapshot: PlainCall<'deleteSnapshot'>;
  /** Ends the delivery of a persistent subscription to this connection. */
  readonly leaveSubscription: PlainCall<'leaveSubscription'>;
  /** Removes a persistent subscription with its checkpoint. */
  readonly removeSubscription: PlainCall<'removeSubscription'>;
  /** Acknowledges an event of a persistent subscription. */
  readonly ackEvent: PlainCall<'ackEvent'>;
  /** Refuses an event of a persistent subscription: it is delivered again, parked or skipped. */
  readonly nackEvent: PlainCall<'nackEvent'>;
  /** Lists the persistent subscriptions of a store. */
  readonly getSubscriptions: PlainCall<'getSubscriptions'>;
  /** Lists the parked events of a persistent subscription. */
  readonly listParked: PlainCall<'listParked'>;
  /** Delivers parked events again. */
  readonly replayParked: PlainCall<'replayParked'>;
  /** Moves a persistent subscription to another position. */
  readonly resetSubscription: PlainCall<'resetSubscription'>;
  /** Publishes a message on a channel. A repeated `publish` with the same `id` is recognised for five minutes. */
  readonly publish: PlainCall<'publish'>;
  /** Ends the subscriptions of this client to a topic. */
  readonly unsubscribe: PlainCall<'unsubscribe'>;
  /** Returns the channels with their settings, subscribers and rates. */
  readonly channelInfo: PlainCall<'channelInfo'>;
  /** Gives this connection a capability token. */
  readonly authenticate: PlainCall<'authenticate'>;
  /** Returns the health of the gateway, its stores and its nodes. */
  readonly health: PlainCall<'health'>;
  /** Returns the live nodes, and all workers with their state, as the gateway sees them. */
  readonly clusterInfo: PlainCall<'clusterInfo'>;
  /** Returns how many live workers a store has, on all nodes. */
  readonly quickHealthCheck: PlainCall<'quickHealthCheck'>;
  /** Registers this connection as a worker of a store; see `serveWorker`. */
  readonly registerWorker: PlainCall<'registerWorker'>;
  /** Unregisters a worker of this connection. */
  readonly unregisterWorker: PlainCall<'unregisterWorker'>;
  /** Publishes the revocation of a token, or of all tokens of an issuer. */
  readonly revokeToken: PlainCall<'revokeToken'>;
}
