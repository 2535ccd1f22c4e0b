import { expect, test } from 'vitest';
import { LruMap } from './lru-map.ts';

test('evicts the entry that was not used for the longest time, and says which', () => {
  const evicted: string[] = [];
  const map = new LruMap<string, string>(3, (value) => evicted.push(value));
  for (const key of ['a', 'b', 'c']) map.add(key, key.toUpperCase());
  expect([map.get('a'), map.get('unknown'), map.size]).toEqual(['A', undefined, 3]);
  map.add('d', 'D');
  expect([evicted, map.size, map.get('b')]).toEqual([['B'], 3, undefined]);
  map.add('e', 'E');
  expect([evicted, map.get('a'), map.get('d'), map.get('e')]).toEqual([['B', 'C'], 'A', 'D', 'E']);
});

test('works without a listener', () => {
  const map = new LruMap<number, number>(1);
  map.add(1, 1);
  map.add(2, 2);
  expect([map.get(1), map.get(2), map.size]).toEqual([undefined, 2, 1]);
});
