import { fc } from '@esdb-gater/property-testing';
import { expect, test } from 'vitest';
import { isBase64 } from './base64.ts';

test('takes what Node.js writes, and nothing that it would write otherwise', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      expect(isBase64(Buffer.from(bytes).toString('base64'))).toBe(true);
    }),
  );
  const units = fc.constantFrom('A', 'Q', 'g', 'B', 'z', '/', '+', '=', '-', '_', ' ');
  fc.assert(
    fc.property(fc.string({ unit: units, maxLength: 12 }), (text) => {
      expect(isBase64(text)).toBe(Buffer.from(text, 'base64').toString('base64') === text);
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  ['no padding', 'AA'],
  ['bits that no byte has', 'AB=='],
  ['the alphabet for URLs', '-_8='],
  ['white space', 'AAAA\n'],
  ['padding in the middle', 'AA==AAAA'],
  ['more padding', 'A==='],
  ['not a string', 7],
])('refuses %s', (_what, value) => {
  expect(isBase64(value)).toBe(false);
});

test('a text of a megabyte is checked as a whole', () => {
  const text = 'A'.repeat(1_048_576);
  expect(isBase64(text)).toBe(true);
  expect(isBase64(`${text.slice(0, 500_000)}!${text.slice(500_001)}`)).toBe(false);
});
