import { createFakeClock } from '@esdb-gater/primitives/testing';
import { expect, test } from 'vitest';
import { createOutboundBudget } from './outbound-budget.ts';

const MIB = 1_048_576;

function budgetOf(maxMib: number) {
  const clock = createFakeClock();
  const budget = createOutboundBudget(clock, { maxBytes: maxMib * MIB, stalledMs: 5_000 });
  const output = (mib: number) => {
    const state = { unsent: mib * MIB, sent: 0, cut: false };
    const unwatch = budget.watch({
      unsent: () => state.unsent,
      sent: () => state.sent,
      cut() {
        state.cut = true;
        state.unsent = 0;
        unwatch();
      },
    });
    return state;
  };
  return { clock, budget, output };
}

test('pages start only while all output together leaves room [R6] [T35]', () => {
  const { clock, budget, output } = budgetOf(32);
  const reader = output(12);
  expect([budget.tryEnter(), budget.tryEnter(), budget.tryEnter()]).toEqual([true, true, false]);
  budget.leave();
  expect(budget.tryEnter()).toBe(false);
  reader.unsent = 0;
  clock.advance(10);
  expect(budget.tryEnter()).toBe(true);
});

test('a connection that does not read is closed when others wait; one that reads is not [R6] [T35]', async () => {
  const { clock, budget, output } = budgetOf(16);
  const [stuck, slow] = [output(8), output(8)];
  const entered = budget.enter();
  for (let n = 0; n < 12; n++) {
    slow.sent++;
    clock.advance(500);
    await Promise.resolve();
    await Promise.resolve();
  }
  await entered;
  expect([stuck.cut, slow.cut]).toEqual([true, false]);
});

test('a connection that does not read stays open while there is room [T35]', () => {
  const { clock, output } = budgetOf(16);
  const stuck = output(12);
  clock.advance(60_000);
  expect(stuck.cut).toBe(false);
});

test('a wait for room ends with an error at the time limit [R6]', async () => {
  const { clock, budget, output } = budgetOf(8);
  const slow = output(8);
  const entered = expect(budget.enter()).rejects.toMatchObject({ code: 'overloaded', retriable: true });
  for (let n = 0; n < 50; n++) {
    slow.sent++;
    clock.advance(500);
    await Promise.resolve();
    await Promise.resolve();
  }
  await entered;
});

test('a connection that already has output waiting leaves half of the room to others [R6]', () => {
  const { budget } = budgetOf(32);
  expect([budget.tryEnter(true), budget.tryEnter(true), budget.tryEnter(true)]).toEqual([true, true, false]);
  expect([budget.tryEnter(), budget.tryEnter(), budget.tryEnter()]).toEqual([true, true, false]);
});

test('pages that were sent completely follow each other without a wait for the next measurement', () => {
  const { budget } = budgetOf(32);
  for (let n = 0; n < 100; n++) {
    expect(budget.tryEnter(true)).toBe(true);
    budget.leave(0);
  }
});

test('who finds no room tries again at the next measurement', () => {
  const { clock, budget, output } = budgetOf(16);
  const reader = output(16);
  expect(budget.tryEnter()).toBe(false);
  let tries = 0;
  budget.whenRoom(() => {
    tries++;
  });
  reader.unsent = 0;
  clock.advance(10);
  expect([tries, budget.tryEnter()]).toEqual([1, true]);
});
