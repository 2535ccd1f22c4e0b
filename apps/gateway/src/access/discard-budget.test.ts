import { createFakeClock } from '@esdb-gater/primitives/testing';
import { expect, test } from 'vitest';
import { createDiscardBudget } from './discard-budget.ts';

function budgetOf(maxBytes: number) {
  const clock = createFakeClock();
  const budget = createDiscardBudget(clock, { maxBytes, bytesPerSecond: 100, closeAfterMs: 2_000 });
  const open = () => {
    const state = { paused: false, destroyed: false };
    const discards = budget.open({
      pause() {
        state.paused = true;
      },
      destroy() {
        state.destroyed = true;
      },
    });
    return Object.assign(discards, { state });
  };
  return { clock, open };
}

test('all connections together share what may be thrown away [R6] [T30]', () => {
  const { open } = budgetOf(1_000);
  const [first, second] = [open(), open()];
  first.add(600);
  second.add(300);
  expect([first.state.paused, second.state.paused]).toEqual([false, false]);
  second.add(100);
  expect([first.state.paused, second.state.paused]).toEqual([false, true]);
});

test('time makes room again, never more than the maximum [R6] [T30]', () => {
  const { clock, open } = budgetOf(1_000);
  open().add(1_000);
  clock.advance(5_000);
  const later = open();
  later.add(499);
  expect(later.state.paused).toBe(false);
  later.add(1);
  expect(later.state.paused).toBe(true);
  clock.advance(3_600_000);
  const last = open();
  last.add(1_000);
  expect(last.state.paused).toBe(true);
});

test('a connection that is read no more is closed after its time, and one that ended is left alone [R6] [T30]', () => {
  const { clock, open } = budgetOf(10);
  const [first, ended] = [open(), open()];
  first.add(10);
  ended.add(10);
  ended.close();
  clock.advance(1_999);
  expect(first.state.destroyed).toBe(false);
  first.add(10);
  clock.advance(1);
  expect([first.state.destroyed, ended.state.destroyed]).toEqual([true, false]);
  ended.add(10);
  clock.advance(2_000);
  expect(ended.state.destroyed).toBe(false);
});
