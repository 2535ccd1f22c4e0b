import { fc } from '@esdb-gater/property-testing';
import { describe, expect, test } from 'vitest';
import { countCalls } from '../testing/index.ts';
import { endOfString, JSON_DEPTH, nestsDeeper } from './json-depth.ts';

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

describe('nestsDeeper', () => {
  test('agrees with the depth of the parsed value for any content of its strings', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 8 }), fc.integer({ min: 0, max: 9 }), (text, limit) => {
        // Short texts are let through unread, as they cannot nest deeper than half their length.
        const padded = text.padEnd(2 * limit + 1);
        expect(nestsDeeper(padded, limit)).toBe(depthOf(JSON.parse(text)) > limit);
      }),
    );
  });

  test('brackets and quotes inside of strings do not count', () => {
    expect(nestsDeeper(JSON.stringify(['[[[["\\', '{{{{\\"[']), 1)).toBe(false);
  });

  test('a frame of quotes and backslashes is read in linear time', () => {
    // With more brackets than levels, as a text with few of them is let through unread.
    const brackets = '[],'.repeat(JSON_DEPTH.frame + 1);
    for (const quotes of ['\\"'.repeat(50_000), `"${'\\'.repeat(100_000)}`, `"${'\\\\"'.repeat(30_000)}`]) {
      const json = brackets + quotes;
      const steps = countCalls(String.prototype, ['charCodeAt', 'indexOf'], () =>
        expect(nestsDeeper(json, JSON_DEPTH.frame)).toBe(false),
      );
      expect(steps).toBeLessThanOrEqual(3 * json.length);
    }
  });
});

describe('endOfString', () => {
  test('finds the closing quote of a string that JSON.stringify wrote', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), fc.string({ maxLength: 40 }), (text, rest) => {
        const json = JSON.stringify(text);
        expect(endOfString(json + rest, 0)).toBe(json.length - 1);
      }),
    );
  });

  test('is the end of the text for a string that does not end', () => {
    expect(['"', '"a', '"\\"', '"\\\\\\"'].map((json) => endOfString(json, 0))).toEqual([1, 2, 3, 5]);
  });
});
