// Speaking

export type { Action, Requirement, Target } from './methods/actions.ts';
export type { UnsubscribeParams } from './methods/channel-methods.ts';
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
} from './methods/gateway-methods.ts';
export { isIdempotent } from './methods/idempotent.ts';
export type { MethodSpec, ServedBy, WorkerDuty } from './methods/method-spec.ts';
// Methods
export {
  isMethodName,
  METHODS,
  type MethodName,
  type Methods,
  type ParamsOf,
  type ResultOf,
} from './methods/methods.ts';
// Notifications
export {
  type CapabilityMode,
  type CommittedNotice,
  type FollowedEvent,
  type Hello,
  NOTIFICATIONS,
  type SubscriptionEvent,
} from './methods/notifications.ts';
export { type PrepareOptions, prepareEvents, prepareParams } from './methods/prepare.ts';
export type { DeleteSnapshotParams, ReadSnapshotParams } from './methods/snapshot-methods.ts';
export type {
  AppendToStreamsParams,
  FollowEventsParams,
  QueryEventsParams,
  ReadStreamParams,
  StreamAppend,
  VersionAtParams,
} from './methods/stream-methods.ts';
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
} from './methods/subscription-methods.ts';
export {
  encodeError,
  encodeNotification,
  encodeRequest,
  encodeResult,
  RawJson,
  type RpcId,
} from './rpc/json-rpc.ts';
export {
  type CallOptions,
  createPeer,
  type Peer,
  type PeerComponents,
  type PeerContext,
  type PeerOptions,
  type PeerStats,
} from './rpc/peer.ts';
export { type WaitOptions, wasUnanswered } from './rpc/pending-calls.ts';
export { fromRpcError, RPC_CODES, type RpcError, rpcCode, toRpcError } from './rpc/rpc-errors.ts';
export { CLOSE_CODES, type CloseCode, SUBPROTOCOL } from './rpc/subprotocol.ts';
// In process
export { createTransportPair } from './rpc/transport-pair.ts';
export type { OptionalSchema, Schema } from './schemas/schema-kit.ts';
export { compileCheck, unknownMethod, validateParams, validateResult } from './schemas/validate.ts';
// Values of the protocol

export {
  createUuidV7,
  isTopic,
  isTopicPattern,
  isUuid,
  JSON_DEPTH,
  type TraceContext,
  topicMatches,
  type UuidComponents,
  utf8Bytes,
  uuidV7,
} from '@esdb-gater/primitives';
