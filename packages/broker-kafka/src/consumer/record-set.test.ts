import { fc } from '@esdb-gater/property-testing';
import { type CompressionAlgorithmValue, createRecordsBatch } from '@platformatic/kafka';
import { describe, expect, test } from 'vitest';
import { readHeaders } from './record-decoder.ts';
import { readRecordSet } from './record-set.ts';

interface Made {
  readonly key?: string;
  readonly value: string;
  readonly headers?: Record<string, string>;
  readonly timestamp?: number;
}

/** A batch as another client encodes it, at an offset of our choice. */
function batch(
  firstOffset: number,
  made: readonly Made[],
  compression: CompressionAlgorithmValue = 'none',
): Buffer {
  const messages = made.map(({ key, value, headers = {}, timestamp = 1_000 }) => ({
    topic: 't',
    partition: 0,
    timestamp: BigInt(timestamp),
    ...(key === undefined ? {} : { key: Buffer.from(key) }),
    value: Buffer.from(value),
    headers: new Map(Object.entries(headers).map(([name, text]) => [Buffer.from(name), Buffer.from(text)])),
  }));
  const bytes = Buffer.from(createRecordsBatch(messages, { compression }).buffer);
  bytes.writeBigInt64BE(BigInt(firstOffset), 0);
  return bytes;
}

/** A batch after compaction has removed all its records. */
function emptied(firstOffset: number, count: number): Buffer {
  const full = batch(
    firstOffset,
    Array.from({ length: count }, () => ({ value: 'x' })),
  );
  const empty = Buffer.from(full.subarray(0, 61));
  empty.writeInt32BE(61 - 12, 8);
  empty.writeInt32BE(0, 57);
  return empty;
}

describe('a record set', () => {
  test('decodes records that another client wrote', () => {
    const data = Buffer.concat([
      batch(10, [
        { key: 'a', value: '1', timestamp: 5_000, headers: { ce_id: 'x', other: 'y' } },
        { value: '2', timestamp: 4_000 },
      ]),
      batch(12, [{ key: 'b', value: '3' }]),
    ]);
    const { records, nextOffset } = readRecordSet(data, 10);
    expect(
      records.map(({ offset, key, value, timestampMs }) => [
        offset,
        key?.toString(),
        value?.toString(),
        timestampMs,
      ]),
    ).toEqual([
      [10, 'a', '1', 5_000],
      [11, undefined, '2', 4_000],
      [12, 'b', '3', 1_000],
    ]);
    expect(nextOffset).toBe(13);
    expect(readHeaders(records[0]?.headers ?? Buffer.alloc(0))).toEqual({ id: 'x' });
  });

  test.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)(
    'reads batches that others compressed with %s',
    (codec) => {
      const value = JSON.stringify({ text: 'abc'.repeat(1_000) });
      const { records, damaged } = readRecordSet(
        batch(
          0,
          [
            { key: 'k', value },
            { key: 'k', value },
          ],
          codec,
        ),
        0,
      );
      expect(damaged).toEqual([]);
      expect(records.map((record) => record.value?.toString())).toEqual([value, value]);
    },
  );

  test('omits records before the requested offset', () => {
    const data = batch(0, [{ value: '0' }, { value: '1' }, { value: '2' }]);
    expect(readRecordSet(data, 2).records.map(({ offset }) => offset)).toEqual([2]);
  });

  test('a batch without records after compaction is skipped, so that the partition continues', () => {
    expect(readRecordSet(emptied(7, 5), 7)).toEqual({ records: [], nextOffset: 12, damaged: [] });
  });

  test('a batch that is cut off is left for the next answer', () => {
    const whole = batch(0, [{ value: 'first' }]);
    const cut = batch(1, [{ value: 'second' }]).subarray(0, -3);
    const { records, nextOffset } = readRecordSet(Buffer.concat([whole, cut]), 0);
    expect(records).toHaveLength(1);
    expect(nextOffset).toBe(1);
  });

  test('one damaged batch is left out and named, and those around it are read', () => {
    const bad = batch(1, [{ value: 'bad' }, { value: 'too' }]);
    bad.writeInt16BE(7, 21); // a codec that nobody knows
    const data = Buffer.concat([batch(0, [{ value: 'a' }]), bad, batch(3, [{ value: 'b' }])]);
    const { records, nextOffset, damaged } = readRecordSet(data, 0);
    expect(records.map(({ offset }) => offset)).toEqual([0, 3]);
    expect(nextOffset).toBe(4);
    expect(damaged).toEqual([{ firstOffset: 1, lastOffset: 2, error: 'the compression codec 7 is unknown' }]);
  });

  test('records of a transaction that was aborted are left out, those of others stay', () => {
    const transactional = (offset: number, producer: number): Buffer => {
      const data = batch(offset, [{ value: `of ${producer}` }]);
      data.writeInt16BE(0x10, 21);
      data.writeBigInt64BE(BigInt(producer), 43);
      return data;
    };
    const marker = (offset: number, producer: number, commit: boolean): Buffer => {
      const key = String.fromCharCode(0, 0, 0, commit ? 1 : 0);
      const data = batch(offset, [{ key, value: '' }]);
      data.writeInt16BE(0x30, 21);
      data.writeBigInt64BE(BigInt(producer), 43);
      return data;
    };
    const data = Buffer.concat([
      transactional(0, 1),
      transactional(1, 2),
      marker(2, 1, false),
      marker(3, 2, true),
      transactional(4, 1),
      marker(5, 1, true),
    ]);
    const { records, nextOffset } = readRecordSet(data, 0, [{ producerId: 1, firstOffset: 0 }]);
    expect(records.map(({ offset }) => offset)).toEqual([1, 4]);
    expect(nextOffset).toBe(6);
  });

  test('never throws and always makes progress, for any bytes', () => {
    const some = batch(0, [{ key: 'k', value: 'v', headers: { ce_id: '1' } }]);
    fc.assert(
      fc.property(
        fc.nat(some.length - 1),
        fc.nat(255),
        fc.uint8Array({ maxLength: 80 }),
        (at, byte, rest) => {
          const data = Buffer.concat([some, Buffer.from(rest)]);
          data[at] = byte;
          const { nextOffset } = readRecordSet(data, 0);
          expect(nextOffset).toBeGreaterThanOrEqual(0);
        },
      ),
      { numRuns: 500 },
    );
  });
});
