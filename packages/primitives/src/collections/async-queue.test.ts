import { expect, test, vi } from 'vitest';
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
  expect((await Promise.all(reads)).map(({ value }) => value)).toEqual([1, 2, undefined]);
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
