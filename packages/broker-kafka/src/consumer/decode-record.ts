import { isUtf8 } from 'node:buffer';
import { isName, type JsonValue } from '@esdb-gater/types';
import { type KnownHeaders, readHeaders } from './headers.ts';
import { depthExceeds } from './json-depth.ts';
import type { KafkaRecord } from './record-set.ts';
import { isTopic } from './topic-name.ts';
import { uuidV5 } from './uuid-v5.ts';

/** Why a record was not understood; what the header `esdb_error` of its dead letter says. */
export type Misunderstanding =
  | 'no_key'
  | 'empty_value'
  | 'key_not_utf8'
  | 'key_not_a_topic'
  | 'value_not_utf8'
  | 'value_not_json'
  | 'value_too_deep'
  | 'bad_headers';

/** A record understood: everything of a `BrokerRecord` but its position, and what duplicates are known by. */
export interface IncomingMessage {
  readonly id: string;
  readonly topic: string;
  readonly message: JsonValue;
  readonly time: string;
  readonly traceparent?: string;
  readonly tracestate?: string;
  /** `ce_id`, `ce_source` and `ce_subject` in one; absent unless the record has all three. */
  readonly identity?: string;
}

/** Nothing that a gateway takes from a client is deeper; what walks a value by recursion is safe below it. */
const MOST_DEPTH = 512;

/**
 * Understands a record of any client: its key a topic, its value JSON, its headers of use when they are those of
 * CloudEvents and otherwise left alone. About 2 µs besides `JSON.parse`.
 */
export function decodeIncoming(
  record: KafkaRecord,
  kafkaTopic: string,
  partition: number,
): IncomingMessage | Misunderstanding {
  const { key, value } = record;
  if (key === null || key.length === 0) return 'no_key';
  if (value === null || value.length === 0) return 'empty_value';
  if (!isUtf8(key)) return 'key_not_utf8';
  const topic = key.toString('utf8');
  if (!isTopic(topic)) return 'key_not_a_topic';
  if (!isUtf8(value)) return 'value_not_utf8';
  if (depthExceeds(value, MOST_DEPTH)) return 'value_too_deep';
  let message: JsonValue;
  try {
    message = JSON.parse(value.toString('utf8')) as JsonValue;
  } catch {
    return 'value_not_json';
  }
  let headers: KnownHeaders;
  try {
    headers = readHeaders(record.headers);
  } catch {
    return 'bad_headers';
  }
  const { id, source, subject } = headers;
  return {
    // CloudEvents lets an id be any text; one that could not be a message's id here is as good as none.
    id: id !== undefined && isName(id) ? id : uuidV5(`${kafkaTopic}/${partition}/${record.offset}`),
    topic,
    message,
    time: timeOf(headers.time, record.timestampMs),
    ...traceOf(headers),
    ...(id !== undefined && source !== undefined && subject !== undefined
      ? { identity: `${id}\n${source}\n${subject}` }
      : {}),
  };
}

/** The form that our own records carry; anything else is read and written anew. */
const CANONICAL_TIME_UNITS = 24;
/** The last moment that ISO 8601 writes with a year of four digits. */
const LAST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

function timeOf(header: string | undefined, timestampMs: number): string {
  const stated = header === undefined ? Number.NaN : Date.parse(header);
  if (stated >= 0 && stated <= LAST_MS) {
    const ours = header?.length === CANONICAL_TIME_UNITS && header.endsWith('Z') && header[10] === 'T';
    return ours && header !== undefined ? header : new Date(stated).toISOString();
  }
  return new Date(Math.min(Math.max(timestampMs, 0), LAST_MS)).toISOString();
}

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;
const TRACESTATE = /^[\x20-\x7e]{1,512}$/;

/** W3C trace context, or nothing: a value of another client is not passed on unless it is one. */
function traceOf(headers: KnownHeaders): { traceparent?: string; tracestate?: string } {
  const { traceparent, tracestate } = headers;
  if (traceparent === undefined || !TRACEPARENT.test(traceparent)) return {};
  return tracestate !== undefined && TRACESTATE.test(tracestate)
    ? { traceparent, tracestate }
    : { traceparent };
}
