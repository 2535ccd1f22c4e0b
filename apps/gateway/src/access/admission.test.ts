import { expect, test } from 'vitest';
import { createAdmission } from './admission.ts';

test('no more connections are let in than allowed, in all and by address', () => {
  const admission = createAdmission({ connections: 4, connectionsPerAddress: 2 });
  const enter = (address: string) => admission.enter(address, false) !== undefined;
  expect(['a', 'a', 'a', 'b', 'b', 'c'].map(enter)).toEqual([true, true, false, true, true, false]);
  expect(admission.size).toBe(4);
});

test('loopback has no limit of its own', () => {
  const admission = createAdmission({ connections: 100, connectionsPerAddress: 1 });
  expect([1, 2, 3].map(() => admission.enter('127.0.0.1', true) !== undefined)).toEqual([true, true, true]);
});

test('a place that is given back can be taken again, and is given back once', () => {
  const admission = createAdmission({ connections: 1, connectionsPerAddress: 1 });
  const place = admission.enter('a', false);
  expect(admission.enter('a', false)).toBeUndefined();
  place?.leave();
  place?.leave();
  expect(admission.size).toBe(0);
  expect(admission.enter('a', false)).toBeDefined();
});
