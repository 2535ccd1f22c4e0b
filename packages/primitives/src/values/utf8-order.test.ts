import { fc } from '@esdb-gater/property-testing';
import { expect, test } from 'vitest';
import { compareUtf8, prefixEnd } from './utf8-order.ts';

// Often of the units at the borders, so that beginnings are shared.
const border = fc.constantFrom('a', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}');
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.array(border, { maxLength: 4 }).map((all) => all.join('')),
);

test('strings compare as their UTF-8 bytes', () => {
  fc.assert(
    fc.property(text, text, (left, right) => {
      const bytes = Math.sign(Buffer.compare(Buffer.from(left), Buffer.from(right)));
      expect(Math.sign(compareUtf8(left, right))).toBe(bytes);
    }),
    { numRuns: 1_000 },
  );
});

test('a string is in the range of a prefix exactly when it begins with the prefix', () => {
  fc.assert(
    fc.property(text, text, fc.boolean(), (prefix, rest, joined) => {
      const name = joined ? prefix + rest : rest;
      const end = prefixEnd(prefix);
      const between = compareUtf8(name, prefix) >= 0 && (end === undefined || compareUtf8(name, end) < 0);
      expect(between).toBe(name.startsWith(prefix));
    }),
    { numRuns: 1_000 },
  );
});

test.each([
  ['a', 'b'],
  ['a\u{10ffff}', 'b'],
  ['\ud7ff', '\ue000'],
  ['', undefined],
  ['\u{10ffff}\u{10ffff}', undefined],
])('the end of the prefix %j is %j', (prefix, end) => {
  expect(prefixEnd(prefix)).toBe(end);
});

test.each([
  ['\ud7ff', '\ue000'],
  ['\ud7ff', '\u{10000}'],
  ['\ue000', '\u{10000}'],
  ['\uffff', '\u{10000}'],
  ['\uffff', '\u{10ffff}'],
  ['\u{10000}', '\u{10001}'],
  ['\u{103ff}', '\u{10400}'],
  ['', 'a'],
  ['a', 'ab'],
])('%j comes before %j', (one, other) => {
  expect(Math.sign(compareUtf8(one, other))).toBe(-1);
  expect(Math.sign(compareUtf8(other, one))).toBe(1);
  expect(compareUtf8(one, one)).toBe(0);
});
