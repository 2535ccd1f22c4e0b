import type { AppendCondition, EventQuery } from '@esdb-gater/types';
import { describe, expect, test } from 'vitest';
import { checkCondition, checkQuery, eventMatcher } from './event-query.ts';

describe('a query', () => {
  const verdict = (query: unknown): unknown => {
    try {
      checkQuery(query as EventQuery);
    } catch (error) {
      const { code, reason, details } = error as { code: string; reason: string; details: { path: string } };
      expect([code, reason]).toEqual(['invalid_argument', 'query']);
      return details.path;
    }
    return 'taken';
  };
  const names = (count: number): string[] => Array.from({ length: count }, (_, n) => `n${n}`);

  test('has 1 to 1 000 items', () => {
    for (const wrong of [undefined, null, {}, { items: 'x' }, { items: [] }]) {
      expect(verdict(wrong)).toBe('query.items');
    }
    expect(verdict({ items: Array(1_000).fill({ types: ['t'] }) })).toBe('taken');
    expect(verdict({ items: Array(1_001).fill({ types: ['t'] }) })).toBe('query.items');
  });

  test('has a type or a tag in each item', () => {
    for (const good of [{ types: ['t'] }, { tags: ['a'] }, { types: [], tags: ['a'] }]) {
      expect(verdict({ items: [good] })).toBe('taken');
    }
    for (const wrong of [{}, null, { types: [] }, { types: [], tags: [] }]) {
      expect(verdict({ items: [{ tags: ['a'] }, wrong] })).toBe('query.items[1]');
    }
  });

  test('has lists of names only', () => {
    for (const wrong of ['t', {}, null, [''], ['t', 1], ['t', '\u0000']]) {
      expect(verdict({ items: [{ types: wrong, tags: ['a'] }] })).toBe('query.items[0].types');
      expect(verdict({ items: [{ types: ['t'], tags: wrong }] })).toBe('query.items[0].tags');
    }
  });

  test('has at most 10 000 types and tags in all', () => {
    const [half, more] = [names(5_000), names(5_001)];
    expect(verdict({ items: [{ types: half }, { tags: half }] })).toBe('taken');
    expect(verdict({ items: [{ types: half, tags: more }] })).toBe('query');
    expect(verdict({ items: [{ types: half }, { tags: more }] })).toBe('query');
  });
});

test('a condition is a query, and a position from 0 if it has one', () => {
  const failIfEventsMatch = { items: [{ types: ['t'] }] };
  const verdict = (condition: object): unknown => {
    try {
      checkCondition(condition as AppendCondition);
    } catch (error) {
      return (error as { reason: string }).reason;
    }
    return 'taken';
  };
  for (const after of [undefined, 0, 7]) expect(verdict({ failIfEventsMatch, after })).toBe('taken');
  for (const after of [-1, 1.5, '1', null]) expect(verdict({ failIfEventsMatch, after })).toBe('position');
  expect(verdict({ failIfEventsMatch: { items: [] } })).toBe('query');
});

test('an event matches one item by one of its types and by all of its tags', () => {
  const matches = eventMatcher({
    items: [{ types: ['a', 'b'], tags: ['x', 'y'] }, { tags: ['z'] }, { types: ['c'], tags: [] }],
  });
  for (const [type, tags, expected] of [
    ['a', ['x', 'y'], true],
    ['b', ['y', 'w', 'x'], true],
    ['a', ['x'], false],
    ['a', [], false],
    ['d', ['x', 'y'], false],
    ['d', ['z'], true],
    ['c', [], true],
    ['d', [], false],
  ] as const) {
    expect([type, tags, matches({ type, tags })]).toEqual([type, tags, expected]);
  }
});
