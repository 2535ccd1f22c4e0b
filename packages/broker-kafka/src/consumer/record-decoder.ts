import { isUtf8 } from 'node:buffer';
import {
  findTopicProblem,
  type GenerationSet,
  JSON_DEPTH,
  nestsDeeper,
  parseExactly,
  uuidV5,
  validTraceContext,
} from '@esdb-gater/primitives';
import { type BrokerRecord, type ChannelName, isName, type JsonValue } from '@esdb-gater/types';
import type { DeadLetters, RecordSource } from './dead-letters.ts';
import { type DamagedBatch, type KafkaRecord, TruncatedError } from './record-set.ts';

/**
 * Decides whether a record may be delivered: `true`, or a short reason, which becomes the header `esdb_error` of its
 * dead letter. Runs for every record of the channel, so it must be fast. Throwing rejects the record.
 */
export type Accept = (
  channel: ChannelName,
  record: BrokerRecord,
  context: { readonly kafkaTimeMs: number },
) => true | string;

export interface RecordDecoderComponents {
  readonly deadLetters: DeadLetters;
  readonly accept: Accept | undefined;
}

/**
 * Decodes Kafka records into the messages that subscribers get. Sends records that it cannot decode to the dead
 * letters.
 */
export class RecordDecoder {
  readonly #components: RecordDecoderComponents;
  #duplicates = 0;

  constructor(components: RecordDecoderComponents) {
    this.#components = components;
  }

  /** How many records were dropped because their identity was known. */
  get duplicates(): number {
    return this.#duplicates;
  }

  /**
   * Decodes records of one partition.
   *
   * @param positionAt returns the position of a subscriber that has everything before an offset
   * @param known the identities of the channel's last messages; new ones are added
   */
  decode(
    source: RecordSource,
    records: readonly KafkaRecord[],
    positionAt: (offset: number) => string,
    known: GenerationSet<string>,
  ): BrokerRecord[] {
    const messages: BrokerRecord[] = [];
    for (const record of records) {
      const decoded = decodeRecord(record, source.kafkaTopic, source.partition);
      if (typeof decoded === 'string') {
        this.#components.deadLetters.add(source, record, decoded);
        continue;
      }
      const { identity } = decoded;
      const message = withPosition(decoded, positionAt(record.offset + 1));
      const verdict = this.#verdict(source.channel, message, record);
      if (verdict !== true) this.#components.deadLetters.add(source, record, verdict);
      // Added last: a rejected record must not make the real one look like a duplicate.
      else if (identity === undefined || known.add(identity)) messages.push(message);
      else this.#duplicates += 1;
    }
    return messages;
  }

  addDamaged(source: RecordSource, batch: DamagedBatch): void {
    this.#components.deadLetters.addDamaged(source, batch);
  }

  #verdict(channel: ChannelName, message: BrokerRecord, record: KafkaRecord): true | string {
    const { accept } = this.#components;
    if (accept === undefined) return true;
    try {
      return accept(channel, message, { kafkaTimeMs: record.timestampMs });
    } catch {
      return 'check_failed';
    }
  }
}

function withPosition(decoded: DecodedRecord, position: string): BrokerRecord {
  const { id, topic, message, time, traceparent, tracestate } = decoded;
  return {
    id,
    topic,
    message,
    time,
    position,
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(tracestate === undefined ? {} : { tracestate }),
  };
}

/** Why a record cannot be decoded; the header `esdb_error` of its dead letter. */
export type DecodeError =
  | 'no_key'
  | 'empty_value'
  | 'key_not_utf8'
  | 'key_not_a_topic'
  | 'value_not_utf8'
  | 'value_not_json'
  | 'value_too_deep'
  | 'bad_headers';

/** A decoded record, still without a position. */
export interface DecodedRecord extends Omit<BrokerRecord, 'position'> {
  /** The identity for finding duplicates; absent unless the record has an id, a source and a subject. */
  readonly identity?: string;
}

/**
 * Decodes a record of any client: the key is its topic, the value its message as JSON. Reads the headers of CloudEvents
 * and ignores all others. Takes about 2 µs besides `JSON.parse`.
 */
export function decodeRecord(
  record: KafkaRecord,
  kafkaTopic: string,
  partition: number,
): DecodedRecord | DecodeError {
  const { key, value } = record;
  if (key === null || key.length === 0) return 'no_key';
  if (value === null || value.length === 0) return 'empty_value';
  if (!isUtf8(key)) return 'key_not_utf8';
  const topic = key.toString('utf8');
  if (findTopicProblem(topic, 'letters') !== undefined) return 'key_not_a_topic';
  if (!isUtf8(value)) return 'value_not_utf8';
  const json = value.toString('utf8');
  if (nestsDeeper(json, JSON_DEPTH.record)) return 'value_too_deep';
  let message: JsonValue;
  try {
    message = parseExactly(json) as JsonValue;
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
    // CloudEvents allows any text as an id, a message here only a name.
    id: id !== undefined && isName(id) ? id : uuidV5(`${kafkaTopic}/${partition}/${record.offset}`),
    topic,
    message,
    time: timeOf(headers.time, record.timestampMs),
    ...validTraceContext(headers),
    ...(id !== undefined && source !== undefined && subject !== undefined
      ? { identity: `${id}\n${source}\n${subject}` }
      : {}),
  };
}

/** The length of the times that this package writes; any other form is normalised. */
const CANONICAL_TIME_UNITS = 24;
/** The last moment that ISO 8601 writes with a year of four digits. */
const MAX_TIME_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

function timeOf(header: string | undefined, timestampMs: number): string {
  const statedMs = header === undefined ? Number.NaN : Date.parse(header);
  if (header !== undefined && statedMs >= 0 && statedMs <= MAX_TIME_MS) {
    const canonical = header.length === CANONICAL_TIME_UNITS && header.endsWith('Z') && header[10] === 'T';
    return canonical ? header : new Date(statedMs).toISOString();
  }
  return new Date(Math.min(Math.max(timestampMs, 0), MAX_TIME_MS)).toISOString();
}

/** The headers that this package uses. Of a header that occurs twice, the first one counts. */
interface KnownHeaders {
  id?: string;
  source?: string;
  subject?: string;
  time?: string;
  traceparent?: string;
  tracestate?: string;
}

interface KnownName {
  readonly name: Buffer;
  readonly member: keyof KnownHeaders;
}

/** By the length of the name, which rules out most other headers without comparing bytes. */
const KNOWN: ReadonlyMap<number, readonly KnownName[]> = Map.groupBy(
  Object.entries({
    ce_id: 'id',
    ce_time: 'time',
    ce_source: 'source',
    ce_subject: 'subject',
    tracestate: 'tracestate',
    traceparent: 'traceparent',
  } as const).map(([name, member]) => ({ name: Buffer.from(name), member })),
  ({ name }) => name.length,
);

/** Longer values are ignored: this package writes none. */
const MAX_VALUE_BYTES = 4_096;

/**
 * Reads the known headers out of the encoded ones. Makes no view of any other header, so the eight headers of a record
 * that this package wrote take about 1 µs.
 *
 * @throws {TruncatedError}
 */
export function readHeaders(encoded: Buffer): KnownHeaders {
  const found: KnownHeaders = {};
  if (encoded.length <= 1) return found;
  const cursor = { at: 0 };
  for (let left = lengthAt(encoded, cursor); left > 0; left--) {
    const nameBytes = lengthAt(encoded, cursor);
    const nameAt = cursor.at;
    skip(encoded, cursor, nameBytes);
    const valueBytes = lengthAt(encoded, cursor);
    const valueAt = cursor.at;
    skip(encoded, cursor, valueBytes);
    if (valueBytes < 0 || valueBytes > MAX_VALUE_BYTES) continue;
    const member = memberOf(encoded, nameAt, nameBytes);
    if (member !== undefined) found[member] ??= encoded.toString('utf8', valueAt, cursor.at);
  }
  return found;
}

function memberOf(encoded: Buffer, at: number, length: number): keyof KnownHeaders | undefined {
  const candidates = KNOWN.get(length);
  if (candidates === undefined) return undefined;
  for (const { name, member } of candidates) {
    let same = 0;
    while (same < length && encoded[at + same] === name[same]) same += 1;
    if (same === length) return member;
  }
  return undefined;
}

/** Reads a length, a zig-zag varint of up to 32 bits. */
function lengthAt(encoded: Buffer, cursor: { at: number }): number {
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = encoded[cursor.at++];
    if (byte === undefined) break;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return (value >>> 1) ^ -(value & 1);
  }
  throw new TruncatedError('the headers of a record end too early');
}

function skip(encoded: Buffer, cursor: { at: number }, bytes: number): void {
  if (bytes > 0) cursor.at += bytes;
  if (cursor.at > encoded.length) throw new TruncatedError('the headers of a record end too early');
}
