// Users

export {
  type AllEventsParams,
  type AnyEvent,
  type Append,
  type Appendable,
  type AppendManyParams,
  type AppendParams,
  type CallOptions,
  type DeliveredEvent,
  type EventSchema,
  type EventSubscription,
  type EventsAppended,
  type EventsParams,
  type EventsRead,
  type EventTypeSchema,
  type EventTypes,
  type EventTypesOf,
  eventSchema,
  type FollowOptions,
  type Gater,
  type Jsonable,
  type LoadedState,
  type LoadStateParams,
  type LostNotice,
  loadState,
  type MessageSubscription,
  type NackOptions,
  type PlainMethods,
  type ReceivedMessage,
  type Recorded,
  type StandardIssue,
  type StandardResult,
  type StandardSchemaV1,
  type StoreEvents,
  type StreamEvents,
  type SubscribeOptions,
  type Upcaster,
} from '@esdb-gater/gater';
export {
  createGater,
  type GaterComponents,
  type GaterOptions,
  type LocalGater,
} from '@esdb-gater/gater/in-process';
export {
  ANY_VERSION,
  type AppendCondition,
  type ChannelMessage,
  type ErrorCode,
  type EventQuery,
  GaterError,
  type JsonValue,
  type NewBytesEvent,
  type NewEvent,
  NO_STREAM,
  type RecordedEvent,
  STREAM_EXISTS,
} from '@esdb-gater/types';
export { connect, type RemoteGater } from './connect.ts';
export type {
  Connection,
  ConnectionCallOptions,
  ConnectionListener,
  ServeCall,
} from './connection/connection.ts';
export type { ConnectComponents, ConnectOptions, TokenSource } from './connection/options.ts';
// In process
export { generateIdentity, identityOfKeys, type ProvingIdentity } from './proving-identity.ts';
export { type ServedStore, type ServedWorker, type ServeWorkerOptions, serveWorker } from './serve-worker.ts';
export { openSocket } from './socket/node.ts';
export type { OpenedSocket, OpenSocket, OpenSocketOptions } from './socket/socket.ts';
