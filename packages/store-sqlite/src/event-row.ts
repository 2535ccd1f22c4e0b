import { eventCore, eventHead, type StoredEvent } from '@esdb-gater/event-store';
import { utf8Bytes } from '@esdb-gater/primitives';
import { checksum } from './checksum.ts';
import { damaged } from './sqlite-errors.ts';

/** The columns of an event, as they are written. */
export const EVENT_COLUMNS = 'position, stream, version, id, type, data, metadata, tags, epoch_us, checksum';

/**
 * The `eventCore` of a row without the stream's name. SQLite puts it together: one text a row costs half of what its
 * columns do, and the checksum is taken over it as it is.
 */
const CORE_TEXT = [
  `'"version":' || version`,
  `',"position":' || position`,
  `',"id":"' || id || '"'`,
  `',"type":' || json_quote(type)`,
  `',"data":' || data`,
  `',"metadata":' || metadata`,
  `',"tags":' || tags`,
  `',"epochUs":' || epoch_us`,
].join(' || ');

/** What readers select, in the order of `EventRow`. */
export const READ_COLUMNS: string = `position, stream, version, epoch_us, checksum, ${CORE_TEXT}`;

/** A row as an array: half the cost of an object. */
export type EventRow = readonly [
  position: number,
  stream: number,
  version: number,
  epochUs: number,
  checksum: number,
  text: string | null,
];

/** What stands before the text of every event of a stream. */
export interface StreamPart {
  /** The beginning of the `RecordedEvent` as JSON, up to and with the comma. */
  readonly head: string;
  readonly headBytes: number;
  /** Of the part of it that belongs to the core. */
  readonly checksum: number;
}

export function streamPart(storeId: string, name: string): StreamPart {
  const core = `"streamId":${JSON.stringify(name)},`;
  const head = eventHead(storeId) + core;
  return { head, headBytes: utf8Bytes(head), checksum: checksum(core) };
}

/** The checksum covers every member that a reader will see, the stream's name included. */
export function eventChecksum(event: StoredEvent): number {
  return checksum(eventCore(event));
}

/**
 * The core of the `RecordedEvent` in a row behind its `StreamPart`.
 *
 * @throws `internal` when the row does not say what was written
 */
export function readEventRow(row: EventRow, stream: StreamPart, file: string): string {
  const [position, , , , expected, text] = row;
  if (text !== null && checksum(text, stream.checksum) === expected) return text;
  throw damaged(file, `the event at position ${position} does not fit its checksum`);
}
