import { expect, test } from 'vitest';
import { createAdmission } from './admission.ts';

test('connections are limited in all and per address', () => {
  const admission = createAdmission({ connections: 4, connectionsPerAddress: 2 });
  const enter = (address: string) => admission.enter(address, false) !== undefined;
  expect(['a', 'a', 'a', 'b', 'b', 'c'].map(enter)).toEqual([true, true, false, true, true, false]);
  expect(admission.size).toBe(4);
});

test('loopback has no limit per address', () => {
  const admission = createAdmission({ connections: 100, connectionsPerAddress: 1 });
  expect([1, 2, 3].map(() => admission.enter('127.0.0.1', true) !== undefined)).toEqual([true, true, true]);
});

test('a released place can be taken again, and is released only once', () => {
  const admission = createAdmission({ connections: 1, connectionsPerAddress: 1 });
  const place = admission.enter('a', false);
  expect(admission.enter('a', false)).toBeUndefined();
  place?.leave();
  place?.leave();
  expect(admission.size).toBe(0);
  expect(admission.enter('a', false)).toBeDefined();
});
