import { checkCondition, checkEventContent, checkQuery } from '@esdb-gater/primitives';
import {
  type AppendCondition,
  type AppendResult,
  type AppendToStreamsParams,
  type EventQuery,
  type EventQueryItem,
  invalidArgument,
  type JsonValue,
  LIMITS,
  type NewBytesEvent,
  type NewEvent,
  type StorePage,
  type StreamAppend,
  type StreamAppendResult,
  type StreamPage,
} from '@esdb-gater/types';
import type { ParamsOf, ResultOf } from '../methods/method-types.ts';
import {
  backwardVersion,
  direction,
  eventType,
  expectedVersion,
  mediaType,
  newBytes,
  pageSize,
  position,
  recordedEvent,
  storeId,
  streamId,
  tag,
  time,
  uuid,
} from './leaf-schemas.ts';
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
  type SchemasOf,
} from './schema-kit.ts';

type AnyNewEvent = NewEvent | NewBytesEvent;

/** What is either JSON or bytes, of which `checkEventContent` asks for exactly one. */
interface EventMembers extends Pick<NewEvent, 'type' | 'id' | 'metadata' | 'tags'> {
  readonly data?: JsonValue;
  readonly dataBase64?: string;
  readonly contentType?: string;
}

const newEvent: Schema<AnyNewEvent> = object<EventMembers>(
  {
    type: eventType,
    data: optional(json()),
    dataBase64: optional(newBytes),
    contentType: optional(mediaType),
    id: optional(uuid),
    metadata: optional(jsonObject()),
    tags: optional(array(tag, { description: 'an array of tags' })),
  },
  {
    title: 'NewEvent',
    description: 'an event as a caller passes it: with `data`, or with `dataBase64` and `contentType`',
    variants: [
      { title: 'NewJsonEvent', required: ['data'], without: ['dataBase64', 'contentType'] },
      { title: 'NewBytesEvent', required: ['dataBase64', 'contentType'], without: ['data'] },
    ],
  },
) as Schema<EventMembers> as Schema<AnyNewEvent>;

const events: Schema<readonly AnyNewEvent[]> = array(newEvent, {
  min: 1,
  max: LIMITS.eventsPerAppend,
  description: `1 to ${LIMITS.eventsPerAppend} events`,
  reason: 'events',
});

const streamAppend: Schema<StreamAppend> = object<StreamAppend>(
  {
    streamId,
    expectedVersion: optional(expectedVersion),
    events: array(newEvent, {
      max: LIMITS.eventsPerAppend,
      description: `at most ${LIMITS.eventsPerAppend} events`,
      reason: 'events',
    }),
  },
  { title: 'StreamAppend' },
);

const queryItem: Schema<EventQueryItem> = object<EventQueryItem>(
  {
    types: optional(array(eventType, { description: 'an array of event types' })),
    tags: optional(array(tag, { description: 'an array of tags' })),
  },
  {
    title: 'EventQueryItem',
    description:
      'types OR-ed, tags AND-ed, at least one of either; what is absent or empty does not restrict',
    variants: [
      { title: 'EventQueryByTypes', required: ['types'], members: { types: { minItems: 1 } } },
      { title: 'EventQueryByTags', required: ['tags'], members: { tags: { minItems: 1 } } },
    ],
  },
);

/** Items OR-ed. A query of no items would be read as "all" by some and as "none" by others: it is refused. */
const query: Schema<EventQuery> = object<EventQuery>(
  {
    items: array(queryItem, {
      min: 1,
      max: LIMITS.queryItems,
      description: `1 to ${LIMITS.queryItems} items with at most ${LIMITS.queryNames} types and tags in all`,
      reason: 'query',
    }),
  },
  { title: 'EventQuery' },
);

const condition: Schema<AppendCondition> = object<AppendCondition>(
  { failIfEventsMatch: query, after: optional(position) },
  { title: 'AppendCondition' },
);

const appendResult: Schema<AppendResult> = object<AppendResult>(
  { version: integer(0), position: integer(1), count: integer(1), duplicate: boolean() },
  { open: true, title: 'AppendResult' },
);

const streamAppendResult: Schema<StreamAppendResult> = object<StreamAppendResult>(
  { version: integer(-1), position: optional(integer(1)), count: integer(0), duplicate: boolean() },
  { open: true, title: 'StreamAppendResult' },
);

const streamPage: Schema<StreamPage> = object<StreamPage>(
  { events: array(recordedEvent), version: integer(-1), next: optional(integer(0)) },
  { open: true, title: 'StreamPage' },
);

const storePage: Schema<StorePage> = object<StorePage>(
  { events: array(recordedEvent), lastPosition: integer(0), next: optional(integer(0)) },
  { open: true, title: 'StorePage' },
);

const stream = { storeId, streamId } as const;

const forwardVersion: Schema<number> = integer(0, { reason: 'start_version' });

/** Reads and writes of streams. */
export const STREAM_SCHEMAS: SchemasOf<
  | 'appendEvents'
  | 'appendToStreams'
  | 'getEvents'
  | 'streamForward'
  | 'streamBackward'
  | 'getVersion'
  | 'streamExists'
  | 'getStreams'
  | 'deleteStream'
  | 'followEvents'
  | 'unfollow'
  | 'versionAt'
  | 'verifyStream'
  | 'readAll'
  | 'queryEvents'
> = {
  appendEvents: {
    summary: 'Appends events to a stream, atomically, durable before it is answered.',
    params: object<ParamsOf<'appendEvents'>>({
      ...stream,
      expectedVersion: optional(expectedVersion),
      events,
      condition: optional(condition),
    }),
    result: appendResult,
    check: (params) => {
      checkContents(params.events, 'events');
      checkConditionOf(params);
    },
  },
  appendToStreams: {
    summary: 'Appends to several streams of a store, all or nothing.',
    params: object<ParamsOf<'appendToStreams'>>({
      storeId,
      appends: array(streamAppend, {
        min: 1,
        max: LIMITS.eventsPerAppend,
        description: `1 to ${LIMITS.eventsPerAppend} appends`,
        reason: 'appends',
      }),
      condition: optional(condition),
    }),
    result: object<ResultOf<'appendToStreams'>>({ results: array(streamAppendResult) }, { open: true }),
    check: checkAppends,
  },
  getEvents: {
    summary: 'Reads a page of a stream, forward or backward.',
    params: object<ParamsOf<'getEvents'>>({
      ...stream,
      startVersion: optional(backwardVersion),
      count: optional(pageSize('count')),
      direction: optional(direction),
    }),
    result: streamPage,
    check: (params) => {
      if (params.startVersion !== -1 || params.direction === 'backward') return;
      throw invalidArgument(
        'start_version',
        '`startVersion` must be a version from 0 when reading forward, got -1',
        {
          path: 'startVersion',
        },
      );
    },
  },
  streamForward: {
    summary: 'Reads a page of a stream upwards.',
    params: object<ParamsOf<'streamForward'>>({
      ...stream,
      startVersion: optional(forwardVersion),
      count: optional(pageSize('count')),
    }),
    result: streamPage,
  },
  streamBackward: {
    summary: 'Reads a page of a stream downwards, from the newest event by default.',
    params: object<ParamsOf<'streamBackward'>>({
      ...stream,
      startVersion: optional(backwardVersion),
      count: optional(pageSize('count')),
    }),
    result: streamPage,
  },
  getVersion: {
    summary: 'The version of a stream, -1 for one that never was.',
    params: object<ParamsOf<'getVersion'>>(stream),
    result: object<ResultOf<'getVersion'>>({ version: integer(-1) }, { open: true }),
  },
  streamExists: {
    summary: 'Whether a stream has events and is not deleted.',
    params: object<ParamsOf<'streamExists'>>(stream),
    result: object<ResultOf<'streamExists'>>({ exists: boolean() }, { open: true }),
  },
  getStreams: {
    summary: 'The streams of a store in the order of UTF-8 bytes; only those that the grants cover.',
    params: object<ParamsOf<'getStreams'>>({
      storeId,
      prefix: optional(anyText()),
      after: optional(anyText()),
      limit: optional(pageSize('limit')),
    }),
    result: object<ResultOf<'getStreams'>>(
      { streams: array(anyText()), next: optional(anyText()) },
      { open: true },
    ),
  },
  deleteStream: {
    summary: 'Deletes a stream softly; it can be written again and goes on with the next version.',
    params: object<ParamsOf<'deleteStream'>>({ ...stream, expectedVersion: optional(expectedVersion) }),
    result: object<ResultOf<'deleteStream'>>({ version: integer(0) }, { open: true }),
  },
  followEvents: {
    summary: 'Catches up with a stream, a query or a store and goes on live, without acknowledgement.',
    params: object<ParamsOf<'followEvents'>>(
      {
        storeId,
        streamId: optional(streamId),
        query: optional(query),
        after: optional(position),
        afterId: optional(uuid),
      },
      {
        variants: [
          { title: 'FollowStream', required: ['streamId'], without: ['query'] },
          { title: 'FollowQuery', required: [], without: ['streamId'] },
        ],
      },
    ),
    result: object<ResultOf<'followEvents'>>({ followId: anyText() }, { open: true }),
    check: (params) => {
      if (params.streamId === undefined || params.query === undefined) return checkQueryOf(params);
      throw invalidArgument('schema', '`streamId` and `query` must not both be given', {
        path: 'query',
      });
    },
  },
  unfollow: {
    summary: 'Ends a `followEvents`.',
    params: object<ParamsOf<'unfollow'>>({ followId: anyText() }),
    result: object<ResultOf<'unfollow'>>({ removed: boolean() }, { open: true }),
  },
  versionAt: {
    summary: 'The version that a stream had at a time.',
    params: object<ParamsOf<'versionAt'>>({ ...stream, time }),
    result: object<ResultOf<'versionAt'>>({ version: integer(-1) }, { open: true }),
  },
  verifyStream: {
    summary: 'Checks the hash chain of a stream, where the store keeps one.',
    params: object<ParamsOf<'verifyStream'>>(stream),
    result: object<ResultOf<'verifyStream'>>(
      { verified: boolean(), brokenAt: optional(integer(0)) },
      { open: true },
    ),
  },
  readAll: {
    summary: 'Reads events of a store in global order.',
    params: object<ParamsOf<'readAll'>>({
      storeId,
      after: optional(position),
      limit: optional(pageSize('limit')),
      query: optional(query),
    }),
    result: storePage,
    check: checkQueryOf,
  },
  queryEvents: {
    summary: 'Reads events by types and tags across streams, with the position to use in a condition.',
    params: object<ParamsOf<'queryEvents'>>({
      storeId,
      query,
      after: optional(position),
      limit: optional(pageSize('limit')),
    }),
    result: storePage,
    check: checkQueryOf,
  },
};

function checkQueryOf(params: { readonly query?: EventQuery }): void {
  if (params.query !== undefined) checkQuery(params.query);
}

function checkContents(events: readonly AnyNewEvent[], path: string): void {
  for (const [index, event] of events.entries()) checkEventContent(event, `${path}[${index}]`);
}

function checkConditionOf(params: { readonly condition?: AppendCondition }): void {
  if (params.condition !== undefined) checkCondition(params.condition);
}

function checkAppends(params: AppendToStreamsParams): void {
  checkConditionOf(params);
  const seen = new Set<string>();
  let count = 0;
  for (const [index, { streamId: id, events: some }] of params.appends.entries()) {
    if (seen.has(id)) {
      throw invalidArgument(
        'appends',
        `\`appends\` must name each stream once, got ${JSON.stringify(id)} twice`,
        {
          path: `appends[${index}].streamId`,
        },
      );
    }
    seen.add(id);
    checkContents(some, `appends[${index}].events`);
    count += some.length;
  }
  if (count <= LIMITS.eventsPerAppend) return;
  throw invalidArgument(
    'events',
    `\`appends\` must have at most ${LIMITS.eventsPerAppend} events, got ${count}`,
    {
      path: 'appends',
    },
  );
}
