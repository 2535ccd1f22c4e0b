import { TruncatedError } from './byte-reader.ts';

/** The headers that mean something here. One that comes twice counts the first time. */
export interface KnownHeaders {
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

/** By the length of the name, so that most headers are told apart without a look at their bytes. */
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

/** No header that we write is longer; what is longer cannot be ours and is not read. */
const LONGEST_VALUE_BYTES = 4_096;

/**
 * Picks the known headers out of the encoded ones. Every record has some and only few are wanted, so this makes no
 * views of the others: about 1 µs for the eight of a record of ours.
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
    if (valueBytes < 0 || valueBytes > LONGEST_VALUE_BYTES) continue;
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

/** A zig-zag varint of up to 32 bits. */
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
