import { nextTurn } from '@esdb-gater/primitives';
import { expect, test } from 'vitest';
import { createInboundBudget } from './inbound-budget.ts';

test('beyond the limit only the oldest continues, and the others once there is room [R6]', async () => {
  const budget = createInboundBudget(100);
  const woken: string[] = [];
  const open = (name: string) => budget.open(() => woken.push(name));
  const [first, second, third] = [open('first'), open('second'), open('third')];
  first.add(60);
  second.add(50);
  expect([first.mayGrow(), second.mayGrow(), third.mayGrow()]).toEqual([true, false, false]);
  first.add(10);
  first.close();
  await nextTurn();
  expect(woken).toEqual(['second', 'third']);
  expect(budget.bytes).toBe(50);
});

test('when the oldest is done the next one continues, even without room [R6]', async () => {
  const budget = createInboundBudget(100);
  const woken: string[] = [];
  const shares = ['a', 'b', 'c'].map((name) => budget.open(() => woken.push(name)));
  for (const share of shares) share.add(90);
  for (const share of shares) share.mayGrow();
  shares[0]?.release(90);
  await nextTurn();
  expect(woken).toEqual(['b']);
});

test('the oldest cannot hold more than the bound by itself [R6]', () => {
  const budget = createInboundBudget(100);
  const share = budget.open(() => undefined);
  share.add(101);
  expect(share.mayGrow()).toBe(false);
});
