import { expect, test } from 'vitest';
import { packValue, unpackValue } from './packed-value.ts';

/** A value whose JSON text has that many units. */
const valueWith = (units: number) => ({ text: 'x'.repeat(units - '{"text":""}'.length) });

test('a value that waits is text from 4 096 units on, and counts as long as its text', () => {
  for (const [units, isText] of [
    [4_095, false],
    [4_096, true],
  ] as const) {
    const value = valueWith(units);
    const packed = packValue(value, undefined, false);
    expect([packed.bytes, typeof packed.content === 'string']).toEqual([units, isText]);
    expect(unpackValue(packed)).toEqual(value);
  }
});

test('a value of a short frame is kept as it is, and counts as long as its frame', () => {
  const value = valueWith(100);
  const packed = packValue(value, 4_095, false);
  expect([packed.bytes, unpackValue(packed) === value]).toEqual([4_095, true]);
});

test('a value of a long frame counts as long as its own text, since others may share the frame', () => {
  const short = packValue(valueWith(100), 100_000, false);
  expect([short.bytes, typeof short.content]).toEqual([100, 'object']);
  const long = packValue(valueWith(5_000), 100_000, false);
  expect([long.bytes, typeof long.content]).toEqual([5_000, 'string']);
});

test('a value that a reader takes at once is not written as text', () => {
  const value = valueWith(10_000);
  expect(packValue(value, 10_050, true)).toEqual({ bytes: 10_050, content: value });
  expect(packValue(value, undefined, true)).toEqual({ bytes: 0, content: value });
});
