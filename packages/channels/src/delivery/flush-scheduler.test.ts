import { createFakeClock } from '@esdb-gater/primitives/testing';
import { expect, test } from 'vitest';
import { nextTurn } from '../../tests/support.ts';
import { createFlushScheduler, type GatheredPriority } from './flush-scheduler.ts';

function open() {
  const clock = createFakeClock();
  const unref: unknown[] = [];
  const scheduler = createFlushScheduler({
    setTimer: (run, ms, options) => {
      unref.push(options?.unref);
      return clock.setTimer(run, ms, options);
    },
  });
  const flushed: string[] = [];
  const queue = (name: string) => ({
    flush: (priority: GatheredPriority) => void flushed.push(`${name} ${priority}`),
  });
  return { clock, scheduler, flushed, queue, unref };
}

test('flushes each marked queue once, in the order of the marks, with one timer for all', async () => {
  const { clock, scheduler, flushed, queue, unref } = open();
  for (const priority of ['low', 'normal', 'high'] as const) {
    for (const name of ['a', 'b']) scheduler.mark(queue(name), priority);
  }
  expect([flushed, clock.timers]).toEqual([[], 1]);
  await nextTurn();
  expect(flushed).toEqual(['a high', 'b high', 'a normal', 'b normal']);
  clock.advance(5);
  expect(flushed.slice(4)).toEqual(['a low', 'b low']);
  // A queue may be marked anew, also while it is flushed.
  let again = 0;
  const restless = {
    flush: () => {
      again++;
      if (again < 3) scheduler.mark(restless, 'low');
    },
  };
  scheduler.mark(restless, 'low');
  for (let n = 0; n < 5; n++) clock.advance(5);
  expect([again, clock.timers]).toEqual([3, 0]);
  // The timer does not keep the process alive.
  expect(new Set(unref)).toEqual(new Set([true]));
});

test('forgets the shared paths of a priority when it is flushed', async () => {
  const { clock, scheduler, queue } = open();
  const delivery = {} as never;
  for (const priority of ['high', 'normal', 'low'] as const) {
    const node = scheduler.roots[priority].with(delivery);
    scheduler.mark(queue('a'), priority);
    expect(scheduler.roots[priority].with(delivery)).toBe(node);
    await nextTurn();
    clock.advance(5);
    expect(scheduler.roots[priority].with(delivery)).not.toBe(node);
  }
});

test('flushes nothing after its end, and leaves no timer', async () => {
  const { clock, scheduler, flushed, queue } = open();
  for (const priority of ['low', 'normal', 'high'] as const) scheduler.mark(queue('a'), priority);
  scheduler.close();
  expect(clock.timers).toBe(0);
  await nextTurn();
  clock.advance(5);
  expect(flushed).toEqual([]);
  open().scheduler.close();
});
