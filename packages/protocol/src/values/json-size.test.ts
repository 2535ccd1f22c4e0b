import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_VALUE_DEPTH, nestsDeeper, utf8Bytes, walkJson } from './json-size.ts';

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

describe('nestsDeeper', () => {
  it('agrees with the depth of the parsed value, whatever its strings hold', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 8 }), fc.integer({ min: 0, max: 9 }), (text, limit) => {
        // Short texts are let through unread, as they cannot nest deeper than half their length.
        const padded = text.padEnd(2 * limit + 1);
        expect(nestsDeeper(padded, limit)).toBe(depthOf(JSON.parse(text)) > limit);
      }),
    );
  });

  it('brackets and quotes inside of strings do not count', () => {
    expect(nestsDeeper(JSON.stringify(['[[[["\\', '{{{{\\"[']), 1)).toBe(false);
  });

  it('a frame of quotes and backslashes is read in linear time', () => {
    const start = performance.now();
    nestsDeeper('\\"'.repeat(1_000_000));
    nestsDeeper(`"${'\\'.repeat(2_000_000)}`);
    expect(performance.now() - start).toBeLessThan(1_000);
  });
});

describe('walkJson', () => {
  it('a value at the bound passes in every message that carries it, and one level more is refused', () => {
    const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels));
    expect(walkJson(nested(MAX_VALUE_DEPTH), 'x').differs).toBe(false);
    const page = JSON.stringify([{ result: { events: [{ data: nested(MAX_VALUE_DEPTH) }] } }]);
    expect(nestsDeeper(page)).toBe(false);
    expect(() => walkJson(nested(MAX_VALUE_DEPTH + 1), 'x')).toThrow(
      expect.objectContaining({ code: 'invalid_argument', reason: 'json' }),
    );
  });

  it('never tells less bytes than the JSON has', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const { bytes, differs } = walkJson(value, 'x');
        expect(differs).toBe(false);
        expect(bytes).toBeGreaterThanOrEqual(utf8Bytes(JSON.stringify(value)));
      }),
    );
  });
});
