import type { DatabaseSync } from 'node:sqlite';
import { eventHead } from '@esdb-gater/event-store';
import { utf8Bytes } from '@esdb-gater/primitives';
import { checksum } from './checksum.ts';
import { damaged } from './sqlite-errors.ts';

/** The name of the function of SQL that writes bytes as base64. */
const TO_BASE64 = 'to_base64';

/** Gives a connection the function that the columns for readers use. */
export function defineFunctions(database: DatabaseSync): void {
  database.function(TO_BASE64, { deterministic: true }, (bytes) =>
    Buffer.from(bytes as Uint8Array).toString('base64'),
  );
}

/** The columns of an event, in the order of inserts. */
export const EVENT_COLUMNS = 'position, stream, version, id, type, data, metadata, tags, epoch_us, checksum';

/** The members of an event that carries bytes, as JSON. `to_base64` is a function of ours. */
const BYTES_TEXT = `(SELECT ',"dataBase64":"' || ${TO_BASE64}(bytes) || '","contentType":' || json_quote(content_type)
  FROM event_bytes WHERE event_bytes.position = events.position)`;

/**
 * The `eventCore` of a row without the stream's name. SQLite builds it: reading one text per row costs half as much as
 * reading its columns, and the checksum is taken over it unchanged.
 */
const CORE_TEXT = [
  `'"version":' || version`,
  `',"position":' || position`,
  `',"id":"' || id || '"'`,
  `',"type":' || json_quote(type)`,
  // An event that carries bytes has an empty text as its data.
  `iif(data = '', ${BYTES_TEXT}, ',"data":' || data)`,
  `',"metadata":' || metadata`,
  `',"tags":' || tags`,
  `',"epochUs":' || epoch_us`,
].join(' || ');

/**
 * The columns that readers select, in the order of `EventRow`. The time is a real number, because an older version could
 * write one that is not a safe integer, which node:sqlite refuses to read.
 */
export const READ_COLUMNS: string = `position, stream, version, CAST(epoch_us AS REAL), checksum, ${CORE_TEXT}`;

/** A row as an array, which costs half as much as an object. */
export type EventRow = readonly [
  position: number,
  stream: number,
  version: number,
  epochUs: number,
  checksum: number,
  text: string | null,
];

/** The JSON that all events of a stream begin with. */
export interface StreamPart {
  /** The beginning of the `RecordedEvent` as JSON, including the comma. */
  readonly head: string;
  readonly headBytes: number;
  /** The checksum of the part that belongs to the event's core. */
  readonly checksum: number;
}

export function streamPart(storeId: string, name: string): StreamPart {
  const core = `"streamId":${JSON.stringify(name)},`;
  const head = eventHead(storeId) + core;
  return { head, headBytes: utf8Bytes(head), checksum: checksum(core) };
}

/**
 * Returns the core of the `RecordedEvent` in a row, without the stream's name.
 *
 * @throws `internal` when the row does not match its checksum
 */
export function readEventRow(row: EventRow, stream: StreamPart, file: string): string {
  const [position, , , , expected, text] = row;
  if (text !== null && checksum(text, stream.checksum) === expected) return text;
  throw damaged(file, `the event at position ${position} does not match its checksum`);
}
