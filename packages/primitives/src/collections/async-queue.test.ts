import { expect, test, vi } from 'vitest';
import { CountingController } from '../testing/index.ts';
import { AsyncQueue } from './async-queue.ts';

test('items added before the end are read first, then the error once, then done', async () => {
  const queue = new AsyncQueue<number>();
  queue.put(1);
  queue.put(2);
  queue.end({ error: new Error('over') });
  queue.put(3);
  expect([await queue.next(), await queue.next()]).toEqual([
    { done: false, value: 1 },
    { done: false, value: 2 },
  ]);
  await expect(queue.next()).rejects.toThrow('over');
  expect(await queue.next()).toEqual({ done: true, value: undefined });
});

test('readers that wait are served in order, and all end', async () => {
  const queue = new AsyncQueue<number>();
  const reads = [queue.next(), queue.next(), queue.next()];
  queue.put(1);
  queue.put(2);
  queue.end();
  expect(await Promise.all(reads)).toEqual([
    { done: false, value: 1 },
    { done: false, value: 2 },
    { done: true, value: undefined },
  ]);
});

test('ten thousand items are read in order at any pace of writer and reader', async () => {
  const queue = new AsyncQueue<number>();
  let written = 0;
  let read = 0;
  while (read < 10_000) {
    for (let burst = 0; burst < 700 && written < 10_000; burst++) queue.put(written++);
    for (let burst = 0; burst < 500 && queue.size > 0; burst++) {
      const { value } = await queue.next();
      if (value !== read++) expect.unreachable(`${value} is out of order`);
    }
  }
  expect(queue.size).toBe(0);
});

test('one item above the limit ends the queue: waiting items are dropped, and the reader gets the error', async () => {
  const onEnd = vi.fn();
  const queue = new AsyncQueue<number>({ maxItems: 2, onEnd });
  for (const item of [1, 2, 3, 4]) queue.put(item);
  expect([queue.size, queue.ended]).toEqual([0, true]);
  expect(onEnd).toHaveBeenCalledExactlyOnceWith(queue);
  await expect(queue.next()).rejects.toMatchObject({ code: 'overloaded' });
  expect(await queue.next()).toEqual({ done: true, value: undefined });
  const own = new AsyncQueue<number>({ maxItems: 0, overflowError: () => new Error('too slow') });
  own.put(1);
  await expect(own.next()).rejects.toThrow('too slow');
});

test('a signal ends it, even one that has already aborted', async () => {
  const controller = new AbortController();
  const queue = new AsyncQueue<number>({ signal: controller.signal });
  queue.put(1);
  controller.abort();
  queue.put(2);
  expect(await Array.fromAsync(queue)).toEqual([1]);
  const onEnd = vi.fn();
  const late = new AsyncQueue<number>({ signal: controller.signal, onEnd });
  expect(onEnd).toHaveBeenCalledExactlyOnceWith(late);
  expect(await late.next()).toEqual({ done: true, value: undefined });
});

test('leaving the loop ends it, and drops the waiting items and the error', async () => {
  const onTaken = vi.fn();
  const queue = new AsyncQueue<number>({ onTaken });
  queue.put(1);
  queue.put(2);
  queue.end({ error: new Error('over') });
  for await (const item of queue) {
    expect(item).toBe(1);
    break;
  }
  expect(onTaken.mock.calls).toEqual([[1]]);
  expect(await queue.next()).toEqual({ done: true, value: undefined });
});

test('tells whether a reader waits, and each item that a reader gets', async () => {
  const taken: number[] = [];
  const queue = new AsyncQueue<number>({ onTaken: (item) => taken.push(item) });
  expect(queue.isAwaited).toBe(false);
  const read = queue.next();
  expect([queue.isAwaited, queue.ended]).toEqual([true, false]);
  queue.put(1);
  expect([queue.isAwaited, queue.size, taken]).toEqual([false, 0, [1]]);
  queue.put(2);
  expect([queue.size, taken]).toEqual([1, [1]]);
  expect([await read, await queue.next()].map(({ value }) => value)).toEqual([1, 2]);
  expect(taken).toEqual([1, 2]);
});

test('takes as many items as its limit, again and again', async () => {
  const queue = new AsyncQueue<number>({ maxItems: 2 });
  for (let round = 0; round < 3; round++) {
    queue.put(1);
    queue.put(2);
    expect([(await queue.next()).value, (await queue.next()).value]).toEqual([1, 2]);
  }
  expect(queue.ended).toBe(false);
});

test('an error of the end reaches one of the readers that wait, and the others are done', async () => {
  const queue = new AsyncQueue<number>();
  const reads = Promise.allSettled([queue.next(), queue.next()]);
  queue.end({ error: new Error('over') });
  queue.end({ error: new Error('again') });
  expect((await reads).map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  expect(await queue.next()).toEqual({ done: true, value: undefined });
});

test('no listener stays on its signal, however it ends', async () => {
  const controller = new CountingController();
  const open = () => new AsyncQueue<number>({ signal: controller.signal, maxItems: 0 });
  const ways: ((queue: AsyncQueue<number>) => unknown)[] = [
    (queue) => queue.end(),
    (queue) => queue.return(),
    (queue) => queue.put(1),
    (queue) => queue[Symbol.asyncDispose](),
  ];
  for (const end of ways) {
    const queue = open();
    expect(controller.listeners).toBe(1);
    await end(queue);
    expect([queue.ended, controller.listeners]).toEqual([true, 0]);
  }
});

test('what waits can be dropped, and the queue goes on', async () => {
  const queue = new AsyncQueue<number>();
  queue.put(1);
  queue.clear();
  queue.put(2);
  expect([queue.size, (await queue.next()).value]).toEqual([1, 2]);
});
