import { isRfc3339, isTopic, isTopicPattern, isUuid } from '@esdb-gater/primitives';
import {
  CHANNEL_NAMES,
  type ChannelName,
  isName,
  isStoreId,
  isStreamId,
  type JsonValue,
  LIMITS,
  type RecordedEvent,
  type Snapshot,
} from '@esdb-gater/types';
import {
  anyText,
  array,
  except,
  integer,
  json,
  jsonObject,
  object,
  oneOf,
  optional,
  type Schema,
  text,
  VALUES,
} from './schema-kit.ts';

const NAME_WORDS = `1 to ${LIMITS.nameUnits} UTF-16 units without control characters and lone surrogates`;
const NAME_HINTS = {
  minLength: 1,
  maxLength: LIMITS.nameUnits,
  pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f]+$',
} as const;

export const storeId: Schema<string> = text(
  isStoreId,
  { description: 'a store id: 1 to 64 of A-Z a-z 0-9 _ -', reason: 'store_id' },
  { pattern: '^[A-Za-z0-9_-]{1,64}$' },
);

export const streamId: Schema<string> = text(
  isStreamId,
  { description: `a stream id: ${NAME_WORDS}, other than ".", ".." and "$all"`, reason: 'stream_id' },
  { ...NAME_HINTS, pattern: '^(?!(?:\\.{1,2}|\\$all)$)[^\\u0000-\\u001f\\u007f-\\u009f]+$' },
);

/** A name of a kind that has no rules of its own. `reason` is also what the name is called. */
export function name(kind: string, reason: string): Schema<string> {
  return text(isName, { description: `${kind}: ${NAME_WORDS}`, reason }, NAME_HINTS);
}

export const eventType: Schema<string> = name('an event type', 'event_type');
export const tag: Schema<string> = name('a tag', 'tag');
export const subscriptionName: Schema<string> = name('a subscription name', 'name');

export const uuid: Schema<string> = text(
  isUuid,
  { description: 'a UUID', reason: 'event_id' },
  { format: 'uuid' },
);

export const time: Schema<string> = text(
  isRfc3339,
  { description: 'a time as in RFC 3339', reason: 'time' },
  { format: 'date-time' },
);

export const channel: Schema<ChannelName> = anyText(`a channel: one of ${CHANNEL_NAMES.join(', ')}`, {
  [VALUES]: CHANNEL_NAMES,
}) as Schema<string> as Schema<ChannelName>;

const TOPIC_HINTS = { minLength: 1, maxLength: LIMITS.topicUnits } as const;
const SEGMENT =
  '[^\\u0000-\\u0020\\u007f-\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff.*>]+';
const OTHERS = LIMITS.topicSegments - 1;
const TOPIC = `${SEGMENT}(?:\\.${SEGMENT}){0,${OTHERS}}`;
const PATTERN_SEGMENT = `(?:\\*|${SEGMENT})`;
const PATTERN = `${PATTERN_SEGMENT}(?:\\.${PATTERN_SEGMENT}){0,${OTHERS - 1}}`;
const TOPIC_WORDS = `1 to ${LIMITS.topicSegments} segments joined by dots, at most ${LIMITS.topicUnits} UTF-16 units, no segment empty or with white space or control characters`;

export const topic: Schema<string> = text(
  isTopic,
  { description: `a topic: ${TOPIC_WORDS}, without * and >`, reason: 'topic' },
  { ...TOPIC_HINTS, pattern: `^${TOPIC}$` },
);

export const topicPattern: Schema<string> = text(
  isTopicPattern,
  { description: `a topic: ${TOPIC_WORDS}; * and a last > only as whole segments`, reason: 'topic' },
  { ...TOPIC_HINTS, pattern: `^(?:${PATTERN}(?:\\.(?:>|${PATTERN_SEGMENT}))?|>)$` },
);

/** A version that an append expects: exact, or one of `NO_STREAM`, `ANY_VERSION`, `STREAM_EXISTS`. */
export const expectedVersion: Schema<number> = except(
  integer(-4, {
    reason: 'expected_version',
    description: 'a version from 0, or -1 (no stream), -2 (any version) or -4 (stream exists)',
  }),
  -3,
);

export const version: Schema<number> = integer(0, { reason: 'version' });

/** The version that a page going downwards begins at. */
export const backwardVersion: Schema<number> = integer(-1, {
  reason: 'start_version',
  description: 'a version from 0, or -1 for the newest',
});
export const position: Schema<number> = integer(0, { reason: 'position' });

/** `count` and `limit` of a page. */
export function pageSize(reason: 'count' | 'limit'): Schema<number> {
  return integer(1, { maximum: LIMITS.pageCount, reason });
}

/** Bytes in an event that a caller passes. `checkEventContent` decides. */
export const newBytes: Schema<string> = anyText(
  'bytes in base64 (RFC 4648) with padding, instead of `data`',
  {
    pattern: '^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$',
    contentEncoding: 'base64',
  },
);

/** The media type of such bytes. */
export const mediaType: Schema<string> = anyText('the media type of `dataBase64`', {
  maxLength: LIMITS.nameUnits,
  pattern: "^[!#$%&'*+\\-.^_`|~0-9A-Za-z]+/[!#$%&'*+\\-.^_`|~0-9A-Za-z]+(?:[ ;][ -~]*)?$",
});

/** `data` is absent where there are bytes, which the type of `RecordedEvent` leaves out for programs that store none. */
type RecordedMembers = Omit<RecordedEvent, 'data'> & { readonly data?: JsonValue };

export const recordedEvent: Schema<RecordedEvent> = object<RecordedMembers>(
  {
    id: anyText('a UUID'),
    type: anyText(),
    storeId: anyText(),
    streamId: anyText(),
    version: integer(0),
    position: integer(1),
    data: optional(json()),
    dataBase64: optional(anyText('bytes in base64 (RFC 4648) with padding, instead of `data`')),
    contentType: optional(anyText('the media type of `dataBase64`')),
    metadata: jsonObject(),
    tags: array(anyText()),
    timestamp: anyText('ISO 8601 with milliseconds and Z'),
    epochUs: integer(0, { description: 'microseconds since the Unix epoch, never decreasing in a store' }),
  },
  { open: true, title: 'RecordedEvent', description: 'an event as a store keeps it' },
) as Schema<RecordedMembers> as Schema<RecordedEvent>;

export const snapshot: Schema<Snapshot> = object<Snapshot>(
  {
    sourceUuid: anyText(),
    streamUuid: anyText(),
    version: integer(0),
    record: json(),
    metadata: jsonObject(),
    timestamp: anyText('ISO 8601 with milliseconds and Z'),
  },
  { open: true, title: 'Snapshot', description: 'the state of an aggregate at a version' },
);

export const empty: Schema<Record<string, never>> = object<Record<never, never>>({}) as Schema<
  Record<string, never>
>;

export const direction: Schema<'forward' | 'backward'> = oneOf(['forward', 'backward'], 'direction');
