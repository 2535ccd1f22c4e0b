import { eventMatcher } from '@esdb-gater/primitives';
import { countReach, fc } from '@esdb-gater/property-testing';
import type { EventQuery } from '@esdb-gater/types';
import { expect, test } from 'vitest';
import { type PositionIndex, SortedPositions } from './position-list.ts';
import { QueryMatches } from './query-matches.ts';

interface Sample {
  readonly type: string;
  readonly tags: readonly string[];
}

/** An index of events at the positions 1, 2 and so on, that counts how often its lists are asked. */
function indexOf(events: readonly Sample[]) {
  const counted = { lookups: 0 };
  const listOf = (has: (event: Sample) => boolean) => {
    const list = new SortedPositions(events.flatMap((event, index) => (has(event) ? [index + 1] : [])));
    return {
      seek(from: number): number {
        counted.lookups += 1;
        return list.seek(from);
      },
    };
  };
  const index: PositionIndex = {
    ofType: (type) => listOf((event) => event.type === type),
    ofTag: (tag) => listOf((event) => event.tags.includes(tag)),
  };
  return { index, counted };
}

/** All matches, and how often the search paused. */
function search(query: EventQuery, index: PositionIndex, count: number, lookups?: number) {
  const found: number[] = [];
  let pauses = 0;
  let from = 1;
  // A search that pauses is begun anew from where it was, as a store does that answers other calls in between.
  for (let matches = new QueryMatches(query, index, lookups); from <= count; ) {
    const match = matches.next(from);
    if (match.found) found.push(match.position);
    else if (match.position <= count) {
      expect(match.position).toBeGreaterThan(from - 1);
      pauses += 1;
      matches = new QueryMatches(query, index, lookups);
    }
    from = match.found ? match.position + 1 : match.position;
  }
  return { found, pauses };
}

const type = fc.constantFrom('a', 'b', 'c');
const tags = fc.subarray(['t', 'u', 'v', '__proto__']);
const item = fc
  .record({ types: fc.subarray(['a', 'b', 'z']), tags: fc.subarray(['t', 'u', '__proto__', 'none']) })
  .filter((one) => one.types.length + one.tags.length > 0);
const items = fc.array(item, { minLength: 1, maxLength: 4 });
const events = fc.array(fc.record({ type, tags }), { maxLength: 120 });

test.each([4_000, 1])('finds what matches, in order, with %i look-ups before a pause', (lookups) => {
  const reach = countReach({ found: 400, pauses: lookups === 1 ? 30 : 0, largest: 90 });
  fc.assert(
    fc.property(events, items, (all, some) => {
      const query = { items: some };
      const matches = eventMatcher(query);
      const expected = all.flatMap((event, index) => (matches(event) ? [index + 1] : []));
      const { found, pauses } = search(query, indexOf(all).index, all.length, lookups);
      expect(found).toEqual(expected);
      reach.count('found', found.length);
      reach.count('pauses', pauses);
      reach.largest('largest', all.length);
    }),
  );
  reach.check();
});

test('the rarest tag decides how many look-ups a search takes', () => {
  const all = Array.from({ length: 100_000 }, (_, index) => ({
    type: 'a',
    tags: index % 20_000 === 7 ? ['common', 'rare'] : ['common'],
  }));
  const { index, counted } = indexOf(all);
  const { found } = search({ items: [{ types: ['a'], tags: ['common', 'rare'] }] }, index, all.length);
  expect(found).toEqual([8, 20_008, 40_008, 60_008, 80_008]);
  expect(counted.lookups).toBeLessThan(50);
});

test('a search through tags that never stand together pauses, and ends', () => {
  const all = Array.from({ length: 30_000 }, (_, index) => ({
    type: 'a',
    tags: [index % 2 ? 'odd' : 'even'],
  }));
  const { index } = indexOf(all);
  const { found, pauses } = search({ items: [{ tags: ['odd', 'even'] }] }, index, all.length);
  expect(found).toEqual([]);
  expect(pauses).toBeGreaterThan(3);
});
