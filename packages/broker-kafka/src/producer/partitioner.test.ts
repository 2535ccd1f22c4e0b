import { fc } from '@esdb-gater/property-testing';
import { murmur2 as theirs } from '@platformatic/kafka';
import { expect, test } from 'vitest';
import { murmur2, partitionOf } from './partitioner.ts';

// From Apache Kafka's own test: clients/src/test/java/org/apache/kafka/common/utils/UtilsTest.java, testMurmur2.
const JAVA = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
] as const;

test.each(JAVA)('murmur2 of %s equals the result in Java', (text, expected) => {
  expect(murmur2(Buffer.from(text))).toBe(expected);
});

test('murmur2 agrees with another implementation on any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      expect(murmur2(bytes) | 0).toBe(theirs(Buffer.from(bytes)) | 0);
    }),
  );
});

test('a partition is the positive hash modulo the number of partitions, as in the Java client', () => {
  expect(partitionOf(Buffer.from('foobar'), 4)).toBe((-790332482 & 0x7fffffff) % 4);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.integer({ min: 1, max: 12 }), (key, partitions) => {
      const partition = partitionOf(key, partitions);
      expect(partition).toBeGreaterThanOrEqual(0);
      expect(partition).toBeLessThan(partitions);
    }),
  );
});
