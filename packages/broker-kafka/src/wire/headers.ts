import { ByteReader } from './byte-reader.ts';

/** The headers that mean something here. One that comes twice counts the first time. */
export interface KnownHeaders {
  id?: string;
  source?: string;
  subject?: string;
  time?: string;
  traceparent?: string;
  tracestate?: string;
}

const KNOWN: readonly (readonly [name: Buffer, member: keyof KnownHeaders])[] = [
  [Buffer.from('ce_id'), 'id'],
  [Buffer.from('ce_time'), 'time'],
  [Buffer.from('ce_source'), 'source'],
  [Buffer.from('ce_subject'), 'subject'],
  [Buffer.from('tracestate'), 'tracestate'],
  [Buffer.from('traceparent'), 'traceparent'],
];

/** No header that we write is longer; what is longer cannot be ours and is not read. */
const LONGEST_VALUE_BYTES = 4_096;

/** Picks the known headers out of the encoded ones. Any number of others costs only their length. */
export function readHeaders(encoded: Buffer): KnownHeaders {
  const found: KnownHeaders = {};
  if (encoded.length <= 1) return found;
  const reader = new ByteReader(encoded);
  for (let left = reader.varint(); left > 0; left--) {
    const name = reader.bytes();
    const value = reader.bytes();
    if (name === null || value === null || value.length > LONGEST_VALUE_BYTES) continue;
    for (const [known, member] of KNOWN) {
      if (known.length === name.length && known.equals(name)) {
        found[member] ??= value.toString('utf8');
        break;
      }
    }
  }
  return found;
}
