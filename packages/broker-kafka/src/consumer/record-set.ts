import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { compressionsAlgorithms } from '@platformatic/kafka';
import type { AbortedTransaction } from '../client/driver.ts';

/** A record in a partition. Its buffers share the memory of the response that it came in. */
export interface KafkaRecord {
  readonly offset: number;
  /** The producer's time, or the broker's if the topic is configured so. */
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** Encoded headers; see `readHeaders` of the record decoder. */
  readonly headers: Buffer;
}

/** A batch that cannot be read. None of its records are delivered. */
export interface DamagedBatch {
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly error: string;
}

export interface RecordSet {
  readonly records: readonly KafkaRecord[];
  /** The offset of the next fetch, after markers, compacted and damaged batches. */
  readonly nextOffset: number;
  readonly damaged: readonly DamagedBatch[];
}

const HEADER_BYTES = 61;
const FRAME_BYTES = 12;
const COMPRESSION_MASK = 0x07;
const LOG_APPEND_TIME = 0x08;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;
const ABORT_MARKER = 0;

/**
 * Decodes one partition's part of a fetch response: record batches of format 2 (KIP-98).
 *
 * Serves both drivers in place of the decoders of their libraries. The one of kafkajs stops at a batch whose records
 * were all compacted away, and both lose the whole response to one damaged batch.
 *
 * @param fetchOffset records before it are omitted, since Kafka returns whole batches
 * @param aborted transactions whose records were never committed
 */
export function readRecordSet(
  data: Buffer,
  fetchOffset: number,
  aborted: readonly AbortedTransaction[] = [],
): RecordSet {
  const records: KafkaRecord[] = [];
  const damaged: DamagedBatch[] = [];
  const open = new AbortedProducers(aborted);
  let nextOffset = fetchOffset;
  for (let at = 0; at + FRAME_BYTES <= data.length; ) {
    const end = at + FRAME_BYTES + data.readInt32BE(at + 8);
    // The last batch of a response may be cut off; the next fetch returns it whole.
    if (end > data.length || end < at + FRAME_BYTES) break;
    const firstOffset = readInt64(data, at);
    let lastOffset = firstOffset;
    try {
      const magic = data.readInt8(at + 16);
      if (magic !== 2) throw new Error(`record format ${magic} is not supported, only 2`);
      lastOffset = firstOffset + data.readInt32BE(at + 23);
      if (lastOffset >= fetchOffset) readBatch(data.subarray(at, end), fetchOffset, open, records);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      damaged.push({ firstOffset, lastOffset, error: message });
    }
    nextOffset = Math.max(nextOffset, lastOffset + 1);
    at = end;
  }
  return { records, nextOffset, damaged };
}

function readBatch(batch: Buffer, fetchOffset: number, open: AbortedProducers, records: KafkaRecord[]): void {
  const firstOffset = readInt64(batch, 0);
  const attributes = batch.readInt16BE(21);
  const producerId = readInt64(batch, 43);
  const body = batch.subarray(HEADER_BYTES);
  open.advance(firstOffset);
  if ((attributes & CONTROL) !== 0) {
    const { key } = readRecord(new ByteReader(body), firstOffset, 0);
    if (key !== null && key.readInt16BE(2) === ABORT_MARKER) open.end(producerId);
    return;
  }
  if ((attributes & TRANSACTIONAL) !== 0 && open.has(producerId)) return;
  const appendTimeMs = (attributes & LOG_APPEND_TIME) !== 0 ? readInt64(batch, 35) : undefined;
  const firstTimestampMs = readInt64(batch, 27);
  const count = batch.readInt32BE(57);
  const reader = new ByteReader(decompress(attributes & COMPRESSION_MASK, body));
  // Collected apart, so that no record of a batch is delivered that is damaged in its middle.
  const found: KafkaRecord[] = [];
  for (let i = 0; i < count; i++) {
    const record = readRecord(reader, firstOffset, firstTimestampMs, appendTimeMs);
    if (record.offset >= fetchOffset) found.push(record);
  }
  for (const record of found) records.push(record);
}

function readRecord(
  reader: ByteReader,
  firstOffset: number,
  firstTimestampMs: number,
  appendTimeMs?: number,
): KafkaRecord {
  const length = reader.varint();
  const end = reader.position + length;
  reader.byte(); // attributes, which Kafka does not use yet
  const timestampMs = firstTimestampMs + reader.varlong();
  const offset = firstOffset + reader.varint();
  const key = reader.bytes();
  const value = reader.bytes();
  const headers = reader.slice(end - reader.position);
  return { offset, timestampMs: appendTimeMs ?? timestampMs, key, value, headers };
}

/** Maximum size of a decompressed batch. A topic allows 2 MiB, which a hostile producer can inflate a thousandfold. */
const MAX_DECOMPRESSED_BYTES = 64 * 1_048_576;

/**
 * Decompresses the records of a batch by the codec in its attributes: none, gzip, snappy (plain and in Java's
 * framing), lz4 or zstd.
 *
 * @throws when the codec is unknown, the data is damaged or decompresses to more than 64 MiB
 */
function decompress(codec: number, data: Buffer): Buffer {
  switch (codec) {
    case 0:
      return data;
    case 1:
      return gunzipSync(data, { maxOutputLength: MAX_DECOMPRESSED_BYTES });
    case 2:
      return compressionsAlgorithms.snappy.decompressSync(data);
    case 3:
      return compressionsAlgorithms.lz4.decompressSync(data);
    case 4:
      return zstdDecompressSync(data, { maxOutputLength: MAX_DECOMPRESSED_BYTES });
    default:
      throw new Error(`the compression codec ${codec} is unknown`);
  }
}

/** Tracks the producers that have an open transaction at one offset which will be aborted. */
class AbortedProducers {
  readonly #pending: AbortedTransaction[];
  readonly #open = new Set<number>();

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#pending = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset);
  }

  /** Opens the transactions that begin at or before the offset. */
  advance(offset: number): void {
    for (
      let next = this.#pending[0];
      next !== undefined && next.firstOffset <= offset;
      next = this.#pending[0]
    ) {
      this.#open.add(next.producerId);
      this.#pending.shift();
    }
  }

  has(producerId: number): boolean {
    return this.#open.has(producerId);
  }

  end(producerId: number): void {
    this.#open.delete(producerId);
  }
}

/** Reads a 64-bit integer as a number: offsets and times stay far below 2^53, and a bigint costs more. */
function readInt64(data: Buffer, at: number): number {
  return data.readInt32BE(at) * 4_294_967_296 + data.readUInt32BE(at + 4);
}

/** Thrown when a record or its headers are shorter than announced. */
export class TruncatedError extends Error {}

/** Reads the zig-zag varints and byte strings of a record. */
class ByteReader {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  get position(): number {
    return this.#at;
  }

  byte(): number {
    const byte = this.#buffer[this.#at++];
    if (byte === undefined) throw new TruncatedError('a record ends too early');
    return byte;
  }

  /** Reads a zig-zag varint of up to 32 bits. */
  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const next = this.byte();
      value |= (next & 0x7f) << shift;
      if (next < 0x80) return (value >>> 1) ^ -(value & 1);
    }
    throw new TruncatedError('a varint is longer than 5 bytes');
  }

  /** Reads a zig-zag varint of up to 64 bits, as a number; exact up to 2^53. */
  varlong(): number {
    let value = 0;
    let factor = 1;
    for (let count = 0; count < 10; count++) {
      const next = this.byte();
      value += (next & 0x7f) * factor;
      if (next < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      factor *= 128;
    }
    throw new TruncatedError('a varint is longer than 10 bytes');
  }

  /** Reads bytes with their length in front, or null for a negative length. Shares the memory of the buffer. */
  bytes(): Buffer | null {
    const length = this.varint();
    return length < 0 ? null : this.slice(length);
  }

  slice(length: number): Buffer {
    const start = this.#at;
    if (length < 0 || length > this.#buffer.length - start) {
      throw new TruncatedError('a record ends too early');
    }
    this.#at = start + length;
    return this.#buffer.subarray(start, start + length);
  }
}
