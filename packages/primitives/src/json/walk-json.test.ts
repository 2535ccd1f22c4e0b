import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JSON_DEPTH, nestsDeeper } from './json-depth.ts';
import { utf8Bytes } from './utf8-bytes.ts';
import { walkJson } from './walk-json.ts';

describe('walkJson', () => {
  test('a value at the bound is accepted in every message that contains it, and one level more is refused', () => {
    const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels));
    expect(walkJson(nested(JSON_DEPTH.value), 'x').differs).toBe(false);
    const page = JSON.stringify([{ result: { events: [{ data: nested(JSON_DEPTH.value) }] } }]);
    expect(nestsDeeper(page, JSON_DEPTH.frame)).toBe(false);
    expect(() => walkJson(nested(JSON_DEPTH.value + 1), 'x')).toThrow(
      expect.objectContaining({ code: 'invalid_argument', reason: 'json' }),
    );
  });

  test('never returns fewer bytes than the JSON has', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const { bytes, differs } = walkJson(value, 'x');
        expect(differs).toBe(false);
        expect(bytes).toBeGreaterThanOrEqual(utf8Bytes(JSON.stringify(value)));
      }),
    );
  });
});
