import { expect, test } from 'vitest';
import { BufferBudget } from './buffer-budget.ts';

test('there is room while fewer bytes are buffered than the maximum', () => {
  const budget = new BufferBudget(100);
  budget.add(99);
  expect(budget.hasRoom).toBe(true);
  budget.add(1);
  expect(budget.hasRoom).toBe(false);
  budget.add(-1);
  expect(budget.hasRoom).toBe(true);
});

test('listeners are told when there is room again, and not at every change', () => {
  const budget = new BufferBudget(100);
  const told: string[] = [];
  const stop = budget.onRoom(() => {
    told.push('a');
    // A listener may leave, and others are told all the same.
    stop();
  });
  budget.onRoom(() => told.push('b'));
  budget.add(50);
  budget.add(-10);
  budget.add(90);
  budget.add(-20);
  expect(told).toEqual([]);
  budget.add(-20);
  expect(told).toEqual(['a', 'b']);
  budget.add(-1);
  budget.add(100);
  budget.add(-100);
  expect(told).toEqual(['a', 'b', 'b']);
});
