// The entry for browsers. It leaves out the in-process Gater, which would bring the registry and the schemas.
// Users

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
export {
  type EventSchema,
  type EventsAppended,
  type EventsRead,
  type EventTypeSchema,
  type EventTypes,
  type EventTypesOf,
  eventSchema,
  type Upcaster,
} from './events/event-schema.ts';
export type { StandardIssue, StandardResult, StandardSchemaV1 } from './events/standard-schema.ts';
export type {
  AllEventsParams,
  AnyEvent,
  Append,
  Appendable,
  AppendManyParams,
  AppendParams,
  CallOptions,
  EventsParams,
  FollowOptions,
  Gater,
  LostNotice,
  Recorded,
  StoreEvents,
  StreamEvents,
  SubscribeOptions,
} from './gater.ts';
export type { Jsonable } from './jsonable.ts';
export { type LoadedState, type LoadStateParams, loadState } from './load-state.ts';
export type { PlainMethods } from './plain-methods.ts';
export { generateIdentity, identityOfKeys, type ProvingIdentity } from './proving-identity.ts';
export { type ServedStore, type ServedWorker, type ServeWorkerOptions, serveWorker } from './serve-worker.ts';
export { openSocket } from './socket/browser.ts';
export type { OpenedSocket, OpenSocket, OpenSocketOptions } from './socket/socket.ts';
export type { DeliveredEvent, EventSubscription, NackOptions } from './subscriptions/event-subscription.ts';
export type { MessageSubscription, ReceivedMessage } from './subscriptions/message-subscription.ts';
