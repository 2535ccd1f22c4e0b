import { ByteReader } from './byte-reader.ts';
import { decompress } from './decompress.ts';

/** A record as it lies in a partition. The buffers share the memory of the answer it came in. */
export interface KafkaRecord {
  readonly offset: number;
  /** Kafka's own time of it: the producer's, or the broker's where the topic says so. */
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** The headers as they are encoded; see `readHeaders`. */
  readonly headers: Buffer;
}

/** Offsets whose batch could not be read; nothing of it can be handed on. */
export interface DamagedBatch {
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly error: string;
}

export interface RecordSet {
  readonly records: readonly KafkaRecord[];
  /** Where the next fetch begins. It passes what holds no record: markers, compacted and damaged batches. */
  readonly nextOffset: number;
  readonly damaged: readonly DamagedBatch[];
}

export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}

const HEADER_BYTES = 61;
const FRAME_BYTES = 12;
const COMPRESSION_MASK = 0x07;
const LOG_APPEND_TIME = 0x08;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;
const ABORT_MARKER = 0;

/**
 * Reads what a fetch brought of one partition, record batches of format 2 (KIP-98).
 *
 * Both drivers use it instead of what their client has: one of these stands still at a batch whose records were
 * all compacted away, and both lose a whole answer to one damaged batch.
 *
 * @param fetchOffset records before it are left out: a batch comes whole even when it was asked for in its middle
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
    // The last batch of an answer may be cut off; it comes whole with the next one.
    if (end > data.length || end < at + FRAME_BYTES) break;
    const firstOffset = readInt64(data, at);
    let lastOffset = firstOffset;
    try {
      const magic = data.readInt8(at + 16);
      if (magic !== 2) throw new Error(`record format ${magic} is not supported, only 2`);
      lastOffset = firstOffset + data.readInt32BE(at + 23);
      if (lastOffset >= fetchOffset) readBatch(data, at, end, fetchOffset, open, records);
    } catch (error) {
      damaged.push({
        firstOffset,
        lastOffset,
        error: error instanceof Error ? error.message : String(error),
      });
    }
    nextOffset = Math.max(nextOffset, lastOffset + 1);
    at = end;
  }
  return { records, nextOffset, damaged };
}

function readBatch(
  data: Buffer,
  at: number,
  end: number,
  fetchOffset: number,
  open: AbortedProducers,
  records: KafkaRecord[],
): void {
  const firstOffset = readInt64(data, at);
  const attributes = data.readInt16BE(at + 21);
  const producerId = readInt64(data, at + 43);
  const body = data.subarray(at + HEADER_BYTES, end);
  open.reach(firstOffset);
  if ((attributes & CONTROL) !== 0) {
    const key = new RecordReader(body, firstOffset, 0).next(undefined)?.key;
    if (key !== null && key !== undefined && key.readInt16BE(2) === ABORT_MARKER) open.end(producerId);
    return;
  }
  if ((attributes & TRANSACTIONAL) !== 0 && open.has(producerId)) return;
  const codec = attributes & COMPRESSION_MASK;
  const appendTime = (attributes & LOG_APPEND_TIME) !== 0 ? readInt64(data, at + 35) : undefined;
  const count = data.readInt32BE(at + 57);
  const reader = new RecordReader(
    codec === 0 ? body : decompress(codec, body),
    firstOffset,
    readInt64(data, at + 27),
  );
  // Collected apart, so that a batch that is damaged in its middle is left out whole.
  const batch: KafkaRecord[] = [];
  for (let i = 0; i < count; i++) {
    const record = reader.next(appendTime);
    if (record.offset >= fetchOffset) batch.push(record);
  }
  for (const record of batch) records.push(record);
}

class RecordReader {
  readonly #reader: ByteReader;
  readonly #firstOffset: number;
  readonly #firstTimestamp: number;

  constructor(body: Buffer, firstOffset: number, firstTimestamp: number) {
    this.#reader = new ByteReader(body);
    this.#firstOffset = firstOffset;
    this.#firstTimestamp = firstTimestamp;
  }

  next(appendTime: number | undefined): KafkaRecord {
    const reader = this.#reader;
    const length = reader.varint();
    const end = reader.position + length;
    reader.byte(); // attributes, unused by Kafka so far
    const timestampMs = this.#firstTimestamp + reader.varlong();
    const offset = this.#firstOffset + reader.varint();
    const key = reader.bytes();
    const value = reader.bytes();
    const headers = reader.slice(end - reader.position);
    return { offset, timestampMs: appendTime ?? timestampMs, key, value, headers };
  }
}

/** Which producers have a transaction open at this point of the partition that will be aborted. */
class AbortedProducers {
  readonly #pending: AbortedTransaction[];
  readonly #open = new Set<number>();

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#pending = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset);
  }

  reach(offset: number): void {
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

/** Offsets and times stay far below 2^53; a bigint would cost more and go no further. */
function readInt64(data: Buffer, at: number): number {
  return data.readInt32BE(at) * 4_294_967_296 + data.readUInt32BE(at + 4);
}
