import { expect, test } from 'vitest';
import { RecentSet } from './recent-set.ts';

test('a key is known until as many others have come, and memory stays bounded', () => {
  const recent = new RecentSet(10);
  expect(recent.add('a')).toBe(true);
  expect(recent.add('a')).toBe(false);
  for (let i = 0; i < 9; i++) recent.add(`x${i}`);
  expect(recent.add('a')).toBe(false);
  for (let i = 0; i < 30; i++) recent.add(`y${i}`);
  expect(recent.add('a')).toBe(true);
});

test('a window of none remembers nothing', () => {
  const recent = new RecentSet(0);
  recent.add('a');
  expect(recent.add('a')).toBe(true);
});
