// Speaking

export type { Action, Requirement, Target } from './actions.ts';
export type { UnsubscribeParams } from './channel-methods.ts';
export type {
  AuthenticateParams,
  AuthenticateResult,
  HealthReason,
  HealthResult,
  HealthStatus,
  RegisterWorkerParams,
  RevokeTokenParams,
  StoreHealth,
  UnregisterWorkerParams,
} from './gateway-methods.ts';
export { isIdempotent } from './idempotent.ts';
export {
  encodeError,
  encodeNotification,
  encodeRequest,
  encodeResult,
  RawJson,
  type RpcId,
  type TraceContext,
} from './json-rpc.ts';
// Bounds
export { MAX_DEPTH, utf8Bytes } from './json-size.ts';
export type { MethodSpec, ServedBy, WorkerDuty } from './method-spec.ts';
// Methods
export {
  isMethodName,
  METHODS,
  type MethodName,
  type Methods,
  type ParamsOf,
  type ResultOf,
} from './methods.ts';
// Notifications
export {
  type CapabilityMode,
  type CommittedNotice,
  type FollowedEvent,
  type Hello,
  NOTIFICATIONS,
  type SubscriptionEvent,
} from './notifications.ts';
export {
  type CallOptions,
  createPeer,
  type Peer,
  type PeerComponents,
  type PeerContext,
  type PeerOptions,
  type PeerStats,
} from './peer.ts';
export { wasUnanswered } from './pending-calls.ts';
export { type PrepareOptions, prepareEvents, prepareParams } from './prepare.ts';
export { fromRpcError, RPC_CODES, type RpcError, rpcCode, toRpcError } from './rpc-errors.ts';
export type { OptionalSchema, Schema } from './schema-kit.ts';
export type { DeleteSnapshotParams, ReadSnapshotParams } from './snapshot-methods.ts';
export type {
  AppendToStreamsParams,
  FollowEventsParams,
  QueryEventsParams,
  ReadStreamParams,
  StreamAppend,
  VersionAtParams,
} from './stream-methods.ts';
export { CLOSE_CODES, type CloseCode, SUBPROTOCOL } from './subprotocol.ts';
export type {
  AckEventParams,
  ListParkedParams,
  NackAction,
  NackEventParams,
  NamedSubscription,
  ParkedEvent,
  RemoveSubscriptionParams,
  ReplayParkedParams,
  ResetSubscriptionParams,
  SaveSubscriptionParams,
} from './subscription-methods.ts';
// Topics
export { isTopic, isTopicPattern, topicMatches } from './topics.ts';
export { createUuidv7, isUuid, type UuidComponents, uuidv7 } from './uuid.ts';
export { compileCheck, unknownMethod, validateParams, validateResult } from './validate.ts';
