import { countReach, fc } from '@esdb-gater/property-testing';
import { expect, test } from 'vitest';
import { SortedPositions } from './position-list.ts';

const positions = fc.array(fc.integer({ min: 1, max: 120 }), { maxLength: 60 });
const places = fc.array(fc.integer({ min: 0, max: 125 }), { maxLength: 20 });

test('a list that is sought forward finds the first position at or after each place', () => {
  const reach = countReach({ exact: 200, between: 200, end: 100 });
  fc.assert(
    fc.property(positions, places, (held, sought) => {
      const sorted = [...new Set(held)].sort((a, b) => a - b);
      const list = new SortedPositions(sorted);
      for (const from of sought.toSorted((a, b) => a - b)) {
        const next = sorted.find((position) => position >= from) ?? Number.POSITIVE_INFINITY;
        expect(list.seek(from)).toBe(next);
        reach.count(next === from ? 'exact' : next === Number.POSITIVE_INFINITY ? 'end' : 'between');
      }
    }),
    { numRuns: 500 },
  );
  reach.check();
});

test('a place that is sought again is found again', () => {
  const list = new SortedPositions([2, 4, 6]);
  expect([4, 4, 5, 5, 7, 7].map((from) => list.seek(from))).toEqual([
    4,
    4,
    6,
    6,
    Number.POSITIVE_INFINITY,
    Number.POSITIVE_INFINITY,
  ]);
});
