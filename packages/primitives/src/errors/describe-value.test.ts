import { fc } from '@esdb-gater/property-testing';
import { expect, test } from 'vitest';
import { describeType, describeValue } from './describe-value.ts';

test.each([
  [undefined, 'undefined', 'undefined'],
  [null, 'null', 'null'],
  [-0.5, '-0.5', 'a number'],
  [Number.NaN, 'NaN', 'a number'],
  [true, 'true', 'a boolean'],
  ['a"b', '"a\\"b"', 'a string'],
  ['x'.repeat(64), `"${'x'.repeat(64)}"`, 'a string'],
  ['x'.repeat(65), 'a string of 65 UTF-16 units', 'a string'],
  [[1, 2], 'an array of 2', 'an array'],
  [{ secret: 1 }, 'an object', 'an object'],
  [() => 1, 'a function', 'a function'],
  [1n, 'a bigint', 'a bigint'],
  [Symbol('s'), 'a symbol', 'a symbol'],
  [new Uint8Array(3), '3 bytes', '3 bytes'],
])('%o is %s, and by its type %s', (value, shown, type) => {
  expect([describeValue(value), describeType(value)]).toEqual([shown, type]);
});

test('the description of any value is one short line', () => {
  fc.assert(
    fc.property(fc.anything(), (value) => {
      const words = describeValue(value);
      expect(words.length).toBeLessThan(400);
      expect([...words].every((character) => character >= ' ')).toBe(true);
    }),
  );
});
