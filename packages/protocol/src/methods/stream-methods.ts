import {
  type AppendCondition,
  type AppendEventsParams,
  type AppendResult,
  type DeleteStreamParams,
  type EventQuery,
  type EventQueryItem,
  type ExpectedVersion,
  type GetEventsParams,
  type GetStreamsParams,
  invalidArgument,
  LIMITS,
  type NewEvent,
  type ReadAllParams,
  type StorePage,
  type StreamPage,
  type StreamParams,
} from '@esdb-gater/types';
import {
  direction,
  eventType,
  expectedVersion,
  pageSize,
  position,
  recordedEvent,
  storeId,
  streamId,
  tag,
  time,
  uuid,
} from '../schemas/leaf-schemas.ts';
import {
  anyText,
  array,
  boolean,
  integer,
  json,
  jsonObject,
  object,
  optional,
  type Schema,
} from '../schemas/schema-kit.ts';
import { storeNeeds, streamNeeds } from './actions.ts';
import type { MethodSpec } from './method-spec.ts';

export interface StreamAppend {
  readonly streamId: string;
  /** @default ANY_VERSION */
  readonly expectedVersion?: ExpectedVersion;
  readonly events: readonly NewEvent[];
}

export interface AppendToStreamsParams {
  readonly storeId: string;
  readonly appends: readonly StreamAppend[];
  readonly condition?: AppendCondition;
}

/** `getEvents` in one direction. */
export interface ReadStreamParams {
  readonly storeId: string;
  readonly streamId: string;
  /** Inclusive. @default 0 forward, -1 (the newest) backward */
  readonly startVersion?: number;
  /** 1 to 1 000. @default 100 */
  readonly count?: number;
}

export interface QueryEventsParams {
  readonly storeId: string;
  readonly query: EventQuery;
  /** An exclusive position. @default 0 */
  readonly after?: number;
  /** 1 to 1 000. @default 100 */
  readonly limit?: number;
}

/** A stream, or a query, or neither for the whole store. */
export interface FollowEventsParams {
  readonly storeId: string;
  readonly streamId?: string;
  readonly query?: EventQuery;
  /** An exclusive position. @default 0 */
  readonly after?: number;
}

export interface VersionAtParams extends StreamParams {
  /** RFC 3339. */
  readonly time: string;
}

const newEvent: Schema<NewEvent> = object<NewEvent>(
  {
    type: eventType,
    data: json(),
    id: optional(uuid),
    metadata: optional(jsonObject()),
    tags: optional(array(tag, { description: 'an array of tags' })),
  },
  { description: 'an event as a caller hands it in' },
);

const events: Schema<readonly NewEvent[]> = array(newEvent, {
  min: 1,
  max: LIMITS.eventsPerAppend,
  description: `1 to ${LIMITS.eventsPerAppend} events`,
  reason: 'events',
});

const queryItem: Schema<EventQueryItem> = object<EventQueryItem>(
  {
    types: optional(array(eventType, { max: 1_000, description: 'at most 1000 event types' })),
    tags: optional(array(tag, { max: 1_000, description: 'at most 1000 tags' })),
  },
  { description: 'types OR-ed, tags AND-ed; what is absent or empty does not restrict' },
);

/** Items OR-ed. A query of no items would be read as "all" by some and as "none" by others: it is refused. */
const query: Schema<EventQuery> = object<EventQuery>({
  items: array(queryItem, { min: 1, max: 1_000, description: '1 to 1000 items', reason: 'query' }),
});

const condition: Schema<AppendCondition> = object<AppendCondition>({
  failIfEventsMatch: query,
  after: optional(position),
});

const appendResult: Schema<AppendResult> = object<AppendResult>(
  { version: integer(0), position: integer(1), count: integer(1), duplicate: boolean() },
  { open: true },
);

const streamPage: Schema<StreamPage> = object<StreamPage>(
  { events: array(recordedEvent), version: integer(-1), next: optional(integer(0)) },
  { open: true },
);

const storePage: Schema<StorePage> = object<StorePage>(
  { events: array(recordedEvent), lastPosition: integer(0), next: optional(integer(0)) },
  { open: true },
);

const stream = { storeId, streamId } as const;

function readsStream(params: StreamParams): ReturnType<MethodSpec<StreamParams, unknown>['requires']> {
  return [streamNeeds('stream/read', params.storeId, params.streamId)];
}

const forwardVersion: Schema<number> = integer(0, { reason: 'start_version' });
const anyVersion: Schema<number> = integer(-1, {
  reason: 'start_version',
  description: 'a version from 0, or -1 for the newest',
});

/** Reads and writes of streams. */
export const STREAM_METHODS: {
  readonly appendEvents: MethodSpec<AppendEventsParams, AppendResult>;
  readonly appendToStreams: MethodSpec<AppendToStreamsParams, { readonly results: readonly AppendResult[] }>;
  readonly getEvents: MethodSpec<GetEventsParams, StreamPage>;
  readonly streamForward: MethodSpec<ReadStreamParams, StreamPage>;
  readonly streamBackward: MethodSpec<ReadStreamParams, StreamPage>;
  readonly getVersion: MethodSpec<StreamParams, { readonly version: number }>;
  readonly streamExists: MethodSpec<StreamParams, { readonly exists: boolean }>;
  readonly getStreams: MethodSpec<
    GetStreamsParams,
    { readonly streams: readonly string[]; readonly next?: string }
  >;
  readonly deleteStream: MethodSpec<DeleteStreamParams, { readonly version: number }>;
  readonly followEvents: MethodSpec<FollowEventsParams, { readonly followId: string }>;
  readonly unfollow: MethodSpec<{ readonly followId: string }, { readonly removed: boolean }>;
  readonly versionAt: MethodSpec<VersionAtParams, { readonly version: number }>;
  readonly verifyStream: MethodSpec<StreamParams, { readonly verified: boolean; readonly brokenAt?: number }>;
  readonly readAll: MethodSpec<ReadAllParams, StorePage>;
  readonly queryEvents: MethodSpec<QueryEventsParams, StorePage>;
} = {
  appendEvents: {
    summary: 'Appends events to a stream, atomically, durable before it is answered.',
    servedBy: 'store',
    worker: 'required',
    params: object<AppendEventsParams>({
      ...stream,
      expectedVersion: optional(expectedVersion),
      events,
      condition: optional(condition),
    }),
    result: appendResult,
    requires: (params) => {
      const append = streamNeeds('stream/append', params.storeId, params.streamId);
      return params.condition === undefined ? [append] : [append, storeNeeds(params.storeId)];
    },
  },
  appendToStreams: {
    summary: 'Appends to several streams of a store, all or nothing.',
    servedBy: 'store',
    worker: 'optional',
    params: object<AppendToStreamsParams>({
      storeId,
      appends: array(object<StreamAppend>({ streamId, expectedVersion: optional(expectedVersion), events }), {
        min: 1,
        max: LIMITS.eventsPerAppend,
        description: `1 to ${LIMITS.eventsPerAppend} appends`,
        reason: 'appends',
      }),
      condition: optional(condition),
    }),
    result: object<{ readonly results: readonly AppendResult[] }>(
      { results: array(appendResult) },
      { open: true },
    ),
    requires: (params) => {
      const appends = params.appends.map((one) => streamNeeds('stream/append', params.storeId, one.streamId));
      return params.condition === undefined ? appends : [...appends, storeNeeds(params.storeId)];
    },
    check: checkAppends,
  },
  getEvents: {
    summary: 'Reads a page of a stream, forward or backward.',
    servedBy: 'store',
    worker: 'required',
    params: object<GetEventsParams>({
      ...stream,
      startVersion: optional(anyVersion),
      count: optional(pageSize('count')),
      direction: optional(direction),
    }),
    result: streamPage,
    requires: readsStream,
    check: (params) => {
      if (params.startVersion !== -1 || params.direction === 'backward') return;
      throw invalidArgument(
        'start_version',
        '`startVersion` is -1, expected a version from 0 when reading forward',
        {
          path: 'startVersion',
        },
      );
    },
  },
  streamForward: {
    summary: 'Reads a page of a stream upwards.',
    servedBy: 'store',
    worker: 'never',
    params: object<ReadStreamParams>({
      ...stream,
      startVersion: optional(forwardVersion),
      count: optional(pageSize('count')),
    }),
    result: streamPage,
    requires: readsStream,
  },
  streamBackward: {
    summary: 'Reads a page of a stream downwards, from the newest event by default.',
    servedBy: 'store',
    worker: 'never',
    params: object<ReadStreamParams>({
      ...stream,
      startVersion: optional(anyVersion),
      count: optional(pageSize('count')),
    }),
    result: streamPage,
    requires: readsStream,
  },
  getVersion: {
    summary: 'The version of a stream, -1 for one that never was.',
    servedBy: 'store',
    worker: 'required',
    params: object<StreamParams>(stream),
    result: object<{ readonly version: number }>({ version: integer(-1) }, { open: true }),
    requires: readsStream,
  },
  streamExists: {
    summary: 'Whether a stream has events and is not deleted.',
    servedBy: 'store',
    worker: 'required',
    params: object<StreamParams>(stream),
    result: object<{ readonly exists: boolean }>({ exists: boolean() }, { open: true }),
    requires: readsStream,
  },
  getStreams: {
    summary: 'The streams of a store in the order of UTF-8 bytes; only those that the grants cover.',
    servedBy: 'store',
    worker: 'required',
    params: object<GetStreamsParams>({
      storeId,
      prefix: optional(anyText()),
      after: optional(anyText()),
      limit: optional(pageSize('limit')),
    }),
    result: object<{ readonly streams: readonly string[]; readonly next?: string }>(
      { streams: array(anyText()), next: optional(anyText()) },
      { open: true },
    ),
    requires: (params) => [{ ...storeNeeds(params.storeId), filtered: true }],
  },
  deleteStream: {
    summary: 'Deletes a stream softly; it can be written again and goes on with the next version.',
    servedBy: 'store',
    worker: 'optional',
    params: object<DeleteStreamParams>({ ...stream, expectedVersion: optional(expectedVersion) }),
    result: object<{ readonly version: number }>({ version: integer(0) }, { open: true }),
    requires: (params) => [streamNeeds('stream/delete', params.storeId, params.streamId)],
  },
  followEvents: {
    summary: 'Catches up with a stream, a query or a store and goes on live, without acknowledgement.',
    servedBy: 'connection',
    worker: 'never',
    params: object<FollowEventsParams>({
      storeId,
      streamId: optional(streamId),
      query: optional(query),
      after: optional(position),
    }),
    result: object<{ readonly followId: string }>({ followId: anyText() }, { open: true }),
    requires: (params) =>
      params.streamId === undefined
        ? [storeNeeds(params.storeId)]
        : [streamNeeds('stream/read', params.storeId, params.streamId)],
    check: (params) => {
      if (params.streamId === undefined || params.query === undefined) return;
      throw invalidArgument(
        'schema',
        '`streamId` and `query` are both given, expected one of them or neither',
        {
          path: 'query',
        },
      );
    },
  },
  unfollow: {
    summary: 'Ends a `followEvents`.',
    servedBy: 'connection',
    worker: 'never',
    params: object<{ readonly followId: string }>({ followId: anyText() }),
    result: object<{ readonly removed: boolean }>({ removed: boolean() }, { open: true }),
    requires: () => [],
  },
  versionAt: {
    summary: 'The version that a stream had at a time.',
    servedBy: 'store',
    worker: 'optional',
    params: object<VersionAtParams>({ ...stream, time }),
    result: object<{ readonly version: number }>({ version: integer(-1) }, { open: true }),
    requires: readsStream,
  },
  verifyStream: {
    summary: 'Checks the hash chain of a stream, where the store keeps one.',
    servedBy: 'store',
    worker: 'optional',
    params: object<StreamParams>(stream),
    result: object<{ readonly verified: boolean; readonly brokenAt?: number }>(
      { verified: boolean(), brokenAt: optional(integer(0)) },
      { open: true },
    ),
    requires: readsStream,
  },
  readAll: {
    summary: 'Reads events of a store in global order.',
    servedBy: 'store',
    worker: 'required',
    params: object<ReadAllParams>({
      storeId,
      after: optional(position),
      limit: optional(pageSize('limit')),
      query: optional(query),
    }),
    result: storePage,
    requires: (params) => [storeNeeds(params.storeId)],
  },
  queryEvents: {
    summary: 'Reads events by types and tags across streams, with the position to use in a condition.',
    servedBy: 'store',
    worker: 'optional',
    params: object<QueryEventsParams>({
      storeId,
      query,
      after: optional(position),
      limit: optional(pageSize('limit')),
    }),
    result: storePage,
    requires: (params) => [storeNeeds(params.storeId)],
  },
};

function checkAppends(params: AppendToStreamsParams): void {
  const seen = new Set<string>();
  let count = 0;
  for (const [index, { streamId: id, events: some }] of params.appends.entries()) {
    if (seen.has(id)) {
      throw invalidArgument(
        'appends',
        `\`appends[${index}].streamId\` is there twice, expected each stream once`,
        {
          path: `appends[${index}].streamId`,
        },
      );
    }
    seen.add(id);
    count += some.length;
  }
  if (count <= LIMITS.eventsPerAppend) return;
  throw invalidArgument(
    'events',
    `\`appends\` have ${count} events, expected at most ${LIMITS.eventsPerAppend}`,
    {
      path: 'appends',
    },
  );
}
