import { expect, test } from 'vitest';
import { countReach, fc } from './index.ts';

const bound = { maxLength: 80 };

test.each([
  ['arrays', fc.array(fc.nat(3), bound)],
  ['texts', fc.string(bound)],
  ['bytes', fc.uint8Array(bound)],
  ['members', fc.dictionary(fc.string({ maxLength: 20 }), fc.nat(), { maxKeys: 80 }).map(Object.keys)],
])('%s are generated up to the length that is asked for', (_, collections) => {
  const lengths = fc.sample<{ readonly length: number }>(collections, 300).map(({ length }) => length);
  expect(Math.max(...lengths)).toBeGreaterThan(60);
  expect(Math.max(...lengths)).toBeLessThanOrEqual(80);
  expect(Math.min(...lengths)).toBeLessThan(10);
});

test('a count that stays below its minimum fails, and names itself', () => {
  const reach = countReach({ deletes: 2, size: 10, hits: 1 });
  reach.count('deletes', 2);
  reach.largest('size', 9);
  reach.largest('size', 3);
  expect(() => reach.check()).toThrow(/: size 9 \(at least 10\), hits 0 \(at least 1\)$/);
  reach.largest('size', 10);
  reach.count('hits');
  reach.check();
});
