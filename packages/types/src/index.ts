// Events and streams

// Channels
export { CHANNEL_DEFAULTS, type ChannelSettings } from './channel-defaults.ts';
export {
  CHANNEL_NAMES,
  CHANNEL_PRIORITIES,
  type ChannelName,
  type ChannelPriority,
  isChannelName,
} from './channel-names.ts';
// Errors
export { ERROR_CODES, type ErrorCode, isErrorCode } from './error-codes.ts';
export type {
  AppendResult,
  NewBytesEvent,
  NewEvent,
  RecordedEvent,
  StorePage,
  StreamAppendResult,
  StreamPage,
} from './events.ts';
export {
  type DetailsByCode,
  type ErrorData,
  type ErrorDetails,
  GaterError,
  type GaterErrorOf,
  type GaterErrorOptions,
  invalidArgument,
} from './gater-error.ts';
export { type JsonObject, type JsonValue, RawJson } from './json.ts';
// Bounds
export { LIMITS } from './limits.ts';
export { isName, isStoreId, isStreamId } from './names.ts';
export type {
  Broker,
  BrokerHealth,
  BrokerRecord,
  FedOrigin,
  OutgoingRecord,
  ReplayFrom,
  ReplayOptions,
} from './ports/broker.ts';
export type {
  ChannelInfo,
  ChannelMessage,
  ChannelSubscriber,
  Channels,
  Delivery,
  DeliverySink,
  DroppedNotice,
  Notice,
  NoticeEncoder,
  PublishContext,
  PublishParams,
  PublishResult,
  ReplayedNotice,
  SubscribeFrom,
  SubscribeParams,
  SubscribeResult,
  SubscriberOptions,
} from './ports/channels.ts';
// Ports
export { type Clock, systemClock, type Timer } from './ports/clock.ts';
export type { DiscoveredNode, Discovery } from './ports/discovery.ts';
export type {
  CallContext,
  EventStore,
  FeedCheckpoint,
  FeedPosition,
  StorePoint,
} from './ports/event-store.ts';
export type { FedEvent, FeedReadOptions, FeedReplaySource } from './ports/feed-replay.ts';
export { type Logger, silentLogger } from './ports/logger.ts';
export type {
  AnnouncedWorker,
  MemberInfo,
  Membership,
  MembershipEvent,
  MembershipProblem,
  MembershipStats,
  PeerAddress,
  PeerLinks,
} from './ports/membership.ts';
export type { Registry, RegistryEvent, StoreWorker, WorkerInfo, WorkerState } from './ports/registry.ts';
export type {
  AppendEventsParams,
  AppendToStreamsParams,
  AppendToStreamsResult,
  DeleteSnapshotParams,
  DeleteStreamParams,
  GetEventsParams,
  GetStreamsParams,
  ListSnapshotsParams,
  QueryEventsParams,
  ReadAllParams,
  ReadSnapshotParams,
  ReadStreamParams,
  RecordSnapshotParams,
  SnapshotPage,
  SnapshotParams,
  StoreMethod,
  StoreMethods,
  StoreParamsOf,
  StoreResultOf,
  StreamAppend,
  StreamNames,
  StreamParams,
  VerifyStreamResult,
  VersionAtParams,
} from './ports/store-methods.ts';
export type {
  NewSubscription,
  ParkedFilter,
  ParkedRecord,
  ParkedRecords,
  SubscriptionRecord,
  SubscriptionState,
} from './ports/subscription-state.ts';
export type {
  JoinedConsumer,
  SubscriptionConsumer,
  SubscriptionDelivery,
  SubscriptionStats,
  Subscriptions,
} from './ports/subscriptions.ts';
export type { Transport, TransportHandlers } from './ports/transport.ts';
export type { AppendCondition, EventQuery, EventQueryItem } from './queries.ts';
export type { Snapshot } from './snapshots.ts';
export type {
  AckEventParams,
  ListParkedParams,
  NackAction,
  NackEventParams,
  NamedSubscription,
  ParkedEvent,
  ParkedPage,
  RemoveSubscriptionParams,
  ReplayParkedParams,
  ResetSubscriptionParams,
  SaveSubscriptionParams,
  Subscription,
  SubscriptionEvent,
  SubscriptionType,
} from './subscriptions.ts';
export { ANY_VERSION, type ExpectedVersion, NO_STREAM, STREAM_EXISTS } from './versions.ts';
