// The interface `Gater`, and what its implementations share: the one over WebSocket is in `@esdb-gater/client`, the one in
// process is the entry `in-process`.
// Users

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
// Implementations
export { withSchema } from './events/with-schema.ts';
export { createFacade } from './facade.ts';
export type {
  AllEventsParams,
  AnyEvent,
  Append,
  Appendable,
  AppendManyParams,
  AppendParams,
  CallMethod,
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
export { type InStore, inStore } from './in-store.ts';
export type { Jsonable } from './jsonable.ts';
export { type LoadedState, type LoadStateParams, loadState } from './load-state.ts';
export { storeEvents, streamEvents } from './paging.ts';
export type { PlainMethods } from './plain-methods.ts';
export type { DeliveredEvent, EventSubscription, NackOptions } from './subscriptions/event-subscription.ts';
export { JoinedSubscription } from './subscriptions/event-subscription.ts';
export type { MessageSubscription, ReceivedMessage } from './subscriptions/message-subscription.ts';
export { tracedMessage } from './subscriptions/message-subscription.ts';
export { SubscriptionHub } from './subscriptions/subscription-hub.ts';
export { type SubscriptionConnection, SubscriptionPool } from './subscriptions/subscription-pool.ts';
