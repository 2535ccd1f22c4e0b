import type {
  FollowEventsParams,
  MethodName,
  ParamsOf,
  ResultOf,
  SaveSubscriptionParams,
} from '@esdb-gater/protocol';
import type {
  AppendCondition,
  AppendResult,
  AppendToStreamsResult,
  ExpectedVersion,
  GetEventsParams,
  JsonValue,
  NewBytesEvent,
  NewEvent,
  QueryEventsParams,
  ReadAllParams,
  ReadStreamParams,
  RecordedEvent,
  SubscribeParams,
} from '@esdb-gater/types';
import type { EventSchema } from './events/event-schema.ts';
import type { InStore } from './in-store.ts';
import type { Jsonable } from './jsonable.ts';
import type { PlainMethods } from './plain-methods.ts';
import type { EventSubscription } from './subscriptions/event-subscription.ts';
import type { MessageSubscription } from './subscriptions/message-subscription.ts';

/** Options of a call. */
export interface CallOptions {
  /** Stops waiting and rejects with the signal's reason. What has been committed stays. */
  readonly signal?: AbortSignal;
  /** Time limit of the call with all its retries. @default 30 000 over WebSocket, 5 000 in process */
  readonly timeoutMs?: number;
  /** A token for this call only. Ignored in process, where permissions are not checked. */
  readonly token?: string;
  /** Repeats a `rate_limited` call after the delay that the gateway gives. @default false */
  readonly retryRateLimited?: boolean;
  /** W3C trace context. */
  readonly traceparent?: string;
  readonly tracestate?: string;
}

/** The events of a program: a union of `NewEvent<type, data>`. */
export type AnyEvent = NewEvent<string, unknown>;

/** The events of `E` as stores return them. */
export type Recorded<E extends AnyEvent> =
  E extends NewEvent<infer Type, infer Data> ? RecordedEvent<Type, Data> : never;

/**
 * The events of `E` as callers append them: with `id`, `metadata` and `tags`, and data that JSON can hold. A program that does
 * not type its events may append bytes too.
 */
export type Appendable<E extends AnyEvent> =
  E extends NewEvent<infer Type, infer Data>
    ? NewEvent<Type, Jsonable<Data>> | (string extends Type ? NewBytesEvent : never)
    : never;

export interface Append<E extends AnyEvent> {
  readonly streamId: string;
  /** @default ANY_VERSION */
  readonly expectedVersion?: ExpectedVersion;
  /** 1 to 1 000. */
  readonly events: readonly Appendable<E>[];
}

export interface AppendParams<E extends AnyEvent> extends Append<E> {
  readonly storeId: string;
  readonly condition?: AppendCondition;
}

export interface AppendManyParams<E extends AnyEvent> {
  readonly storeId: string;
  readonly appends: readonly Append<E>[];
  readonly condition?: AppendCondition;
}

export interface StreamEvents<E extends AnyEvent> {
  readonly events: readonly Recorded<E>[];
  /** The stream's version. */
  readonly version: number;
  /** `startVersion` of the next page; absent at the end. */
  readonly next?: number;
}

export interface StoreEvents<E extends AnyEvent> {
  readonly events: readonly Recorded<E>[];
  /** The position up to which the answer is complete: what goes into `after`. */
  readonly lastPosition: number;
  /** `after` of the next page; absent at the end. */
  readonly next?: number;
}

/** Parameters of `events`: from `startVersion` to the end of the stream; `count` is the size of a page. */
export interface EventsParams extends GetEventsParams {
  /** An RFC 3339 time. Later events are left out; one of exactly that millisecond counts. @default none */
  readonly until?: string;
}

/** Parameters of `allEvents`: from `after` to the end of the store; `limit` is the size of a page. */
export interface AllEventsParams extends ReadAllParams {
  /** An RFC 3339 time. Ends before the first later event; one of exactly that millisecond counts. @default none */
  readonly until?: string;
}

/** Calls a method of the protocol. */
export type CallMethod = <M extends MethodName>(
  method: M,
  params: ParamsOf<M>,
  options?: CallOptions,
) => Promise<ResultOf<M>>;

/**
 * The one interface to streams, snapshots, subscriptions and channels, in process and over WebSocket.
 *
 * Every method takes one object with the protocol's parameters, without `storeId` where the client has one (`storeId` of
 * its options), and resolves to the protocol's result; what it
 * throws is a `GaterError`, or the reason of the signal. `E` types the events of the program that calls, and `A` those
 * that it appends; nothing is checked by them at run time, unless `withEvents` gets a schema.
 */
export interface Gater<E extends AnyEvent = NewEvent, A extends AnyEvent = E>
  extends PlainMethods,
    AsyncDisposable {
  /** The store of calls that name none. Absent when each call must name its store. */
  readonly storeId?: string;
  /** Idempotent by the events' ids, which are filled in before the first attempt. */
  appendEvents(params: InStore<AppendParams<A>>, options?: CallOptions): Promise<AppendResult>;
  /** Appends to several streams, all or nothing. An append without events only checks the version of its stream. */
  appendToStreams(
    params: InStore<AppendManyParams<A>>,
    options?: CallOptions,
  ): Promise<AppendToStreamsResult>;
  /** Reads a page of a stream, forward or backward. */
  getEvents(params: InStore<GetEventsParams>, options?: CallOptions): Promise<StreamEvents<E>>;
  /** Reads a page of a stream, oldest events first. */
  streamForward(params: InStore<ReadStreamParams>, options?: CallOptions): Promise<StreamEvents<E>>;
  /** Reads a page of a stream, newest events first. */
  streamBackward(params: InStore<ReadStreamParams>, options?: CallOptions): Promise<StreamEvents<E>>;
  /** Reads a page of a store in the order of positions. */
  readAll(params: InStore<ReadAllParams>, options?: CallOptions): Promise<StoreEvents<E>>;
  /** Reads a page of the events of a store that match a query. */
  queryEvents(params: InStore<QueryEventsParams>, options?: CallOptions): Promise<StoreEvents<E>>;
  /** Every event of a stream, page by page; the next page is asked for when the last one is used up. */
  events(params: InStore<EventsParams>, options?: CallOptions): AsyncIterableIterator<Recorded<E>>;
  /** Every event of a store, page by page, up to the newest when the last page is read. */
  allEvents(params: InStore<AllEventsParams>, options?: CallOptions): AsyncIterableIterator<Recorded<E>>;
  /**
   * Follows a stream, a query or a whole store: the events that are there, then each new one as it is committed. The
   * iteration never ends by itself. It goes on after a lost connection, from the last event, without gap or duplicate.
   * Leaving the loop, or the signal, ends it.
   *
   * It fails with `invalid_argument`, reason `position_lost`, when the store was restored or begun anew and no longer has
   * the last event. When that happens under a live follow, what followed the last proved position comes again.
   */
  follow(
    params: InStore<FollowEventsParams>,
    options?: FollowOptions,
  ): AsyncIterableIterator<Recorded<E>, undefined>;
  /**
   * Subscribes to the messages of a topic or a pattern. `signal` ends the subscription. `Message` types the messages;
   * nothing is checked by it at run time.
   */
  subscribe<Message = JsonValue>(
    params: SubscribeParams,
    options?: SubscribeOptions,
  ): Promise<MessageSubscription<Message>>;
  /** Events of a persistent subscription, to be acknowledged. `signal` ends the delivery. */
  saveSubscription(
    params: InStore<SaveSubscriptionParams>,
    options?: CallOptions,
  ): Promise<EventSubscription<Recorded<E>>>;
  /** The same object for a program whose events are `F`. */
  withEvents<F extends AnyEvent>(): Gater<F>;
  /**
   * A `Gater` over the same connection whose events pass a schema: read events are brought to their newest version and
   * validated, appended ones are validated and get their version. Messages of channels are left alone.
   */
  withEvents<F extends AnyEvent, B extends AnyEvent>(schema: EventSchema<F, B>): Gater<F, B>;
  /** Ends subscriptions and, over WebSocket, the connection. What the caller passed in is not closed. */
  close(): Promise<void>;
}

export interface FollowOptions extends Pick<CallOptions, 'signal' | 'token'> {
  /**
   * How many events may wait for the reader. When the buffer is full, the client leaves the gateway, and follows again once
   * half of the buffer has been read. @default 10 000
   */
  readonly bufferEvents?: number;
  /** How many bytes of JSON text may wait for the reader, like `bufferEvents`. @default 16 MiB */
  readonly bufferBytes?: number;
  /** Is called when the reader has had every event up to `position`, and again whenever it has caught up again. */
  readonly onCaughtUp?: (position: number) => void;
}

export interface SubscribeOptions extends CallOptions {
  /**
   * How many messages may wait for the reader. When the buffer is full, the subscription pauses: it leaves the
   * gateway, and resumes from its position once half of the buffer has been read. Nothing is lost as long as the
   * gateway still holds the position.
   *
   * @default 10 000
   */
  readonly bufferMessages?: number;
  /** How many bytes of JSON text may wait for the reader, like `bufferMessages`. @default 16 MiB */
  readonly bufferBytes?: number;
  /**
   * What to do when the gateway no longer holds the position of the subscription (a gateway with the in-process broker
   * has restarted, or the history was too short): `continue` from the oldest message and call `onLost`, or `end` the
   * iteration with `invalid_argument`, reason `position_lost`.
   *
   * @default 'continue'
   */
  readonly whenLost?: 'continue' | 'end';
  /** Called when messages were lost: dropped by the gateway, or expired in its history. */
  readonly onLost?: (notice: LostNotice) => void;
}

export interface LostNotice {
  /** `dropped`: the gateway dropped them. `history`: they were older than the history of the gateway. */
  readonly kind: 'dropped' | 'history';
  /** The number of lost messages, if it is known. */
  readonly count?: number;
  readonly position: string;
}
