import fc from 'fast-check';
import { expect, test } from 'vitest';
import { depthExceeds } from './json-depth.ts';

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

test('the depth is the one that walking the value finds', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), fc.integer({ min: 0, max: 7 }), (json, most) => {
      const expected = Buffer.byteLength(json) > most && depthOf(JSON.parse(json)) > most;
      expect(depthExceeds(Buffer.from(json), most)).toBe(expected);
    }),
  );
});

test('brackets and escaped quotes within strings count for nothing', () => {
  expect(depthExceeds(Buffer.from(JSON.stringify(['[[[["\\"[[[', '\\', '{{{{'])), 1)).toBe(false);
});

test('half a million brackets are seen as too deep', () => {
  expect(depthExceeds(Buffer.alloc(500_000, '['), 512)).toBe(true);
});
