// Methods
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
  SubscriptionEvent,
} from '@esdb-gater/types';
export { exactNumbers, findContentNumber } from './methods/content-numbers.ts';
export type {
  AuthenticateParams,
  AuthenticateResult,
  ClusterInfo,
  HealthReason,
  HealthResult,
  HealthStatus,
  NodeInfo,
  RegisterWorkerParams,
  RevokeTokenParams,
  StoreCircuit,
  StoreHealth,
  UnregisterWorkerParams,
  WorkerDetails,
} from './methods/gateway-types.ts';
export {
  factsOf,
  isIdempotent,
  isMethodName,
  isServedBy,
  isWorkerMethod,
  METHOD_NAMES,
  METHODS,
  type MethodFacts,
  type MethodName,
  type MethodsWith,
  type ServedBy,
  type WorkerDuty,
} from './methods/method-table.ts';
export type {
  FollowEventsParams,
  Methods,
  ParamsOf,
  ResultOf,
  UnsubscribeParams,
} from './methods/method-types.ts';
export { type PrepareOptions, prepareEvents, prepareParams } from './methods/prepare.ts';
export { type Action, type Requirement, requirementsOf, type Target } from './methods/requirements.ts';
// Nodes of a cluster
export {
  type AuthenticatePeerParams,
  isAuthenticatePeerParams,
  isPeerProof,
  PEER_METHOD,
  PEER_NOTIFICATIONS,
  type PeerIdentity,
  type PeerProof,
  peerProofText,
} from './peers/peer-messages.ts';
// Speaking
export {
  type ExactNumbers,
  encodeError,
  encodeNotification,
  encodeRequest,
  encodeResult,
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
// Schemas
export { eventType as eventTypeSchema, tag as tagSchema } from './schemas/leaf-schemas.ts';
export { METHOD_SCHEMAS } from './schemas/method-schemas.ts';
// Notifications
export {
  type CapabilityMode,
  type CommittedNotice,
  type FollowedEvent,
  type FollowNotice,
  type Hello,
  NOTIFICATIONS,
  type ReplacedNotice,
  type SubscriptionEnded,
} from './schemas/notifications.ts';
export type { MethodSchemas, OptionalSchema, Schema } from './schemas/schema-kit.ts';
export { createSchemaWriter, type SchemaWriter } from './schemas/schema-writer.ts';
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
