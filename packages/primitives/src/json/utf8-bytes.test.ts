import { fc } from '@esdb-gater/property-testing';
import { expect, test } from 'vitest';
import { utf8Bytes } from './utf8-bytes.ts';

test('is the length that the text has when it is encoded, lone surrogates as U+FFFD', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), fc.nat(300), (text, times) => {
      const long = `${text}\ud800`.repeat(times);
      expect(utf8Bytes(long)).toBe(new TextEncoder().encode(long).length);
    }),
  );
});

test.each(['a', 'ä', '中', '💡'])('counts texts of %j that are longer than one chunk', (unit) => {
  for (const length of [2_730, 2_731, 4_095, 4_096, 8_191, 8_192, 8_193, 100_000]) {
    const text = `x${unit.repeat(length)}`;
    expect(utf8Bytes(text)).toBe(new TextEncoder().encode(text).length);
  }
});

test('a text that cannot pass the limit is not measured', () => {
  expect(utf8Bytes('abc', 9)).toBe(9);
  expect(utf8Bytes('abc', 8)).toBe(3);
});
