import { systemClock } from '@esdb-gater/types';
import { expect, test } from 'vitest';
import { CallQueue } from './call-queue.ts';

const queue = (limits: object = {}): CallQueue =>
  new CallQueue({ maxWaitingCalls: 100, maxWaitingBytes: 100_000_000, clock: systemClock, ...limits });

test('calls are sent in the order they came, and answered by their numbers', async () => {
  const calls = queue();
  const answers = ['a', 'b'].map((method) => calls.add(method, [1], 1));
  const sent = calls.take();
  expect(sent).toEqual([
    [1, 'a', 1],
    [2, 'b', 1],
  ]);
  calls.answer([2, 'second']);
  calls.answer([1, undefined, { message: 'no', data: { code: 'stream_deleted', retriable: false } }]);
  await expect(answers[0]).rejects.toMatchObject({ code: 'stream_deleted', message: 'no' });
  expect(await answers[1]).toBe('second');
  expect(calls.size).toBe(0);
});

test('one message carries at most 4 MiB, but always one call', () => {
  const calls = queue();
  for (const bytes of [5_000_000, 3_000_000, 2_000_000, 2_000_000]) void calls.add('x', [], bytes);
  expect([calls.take().length, calls.take().length, calls.take().length]).toEqual([1, 1, 2]);
  expect(calls.hasUnsent).toBe(false);
});

test('bytes that wait are bounded too, and one call larger than the bound passes alone', async () => {
  const calls = queue({ maxWaitingBytes: 1_000 });
  const first = calls.add('x', [], 5_000);
  await expect(calls.add('x', [], 1)).rejects.toMatchObject({ code: 'overloaded' });
  calls.take();
  calls.answer([1, true]);
  await first;
  void calls.add('x', [], 1);
  expect(calls.size).toBe(1);
});

test('a caller that stops waiting takes an unsent call out of the queue', async () => {
  const calls = queue();
  const controller = new AbortController();
  const call = calls.add('x', [], 1, { signal: controller.signal });
  controller.abort();
  await expect(call).rejects.toMatchObject({ code: 'timeout' });
  expect(calls.take()).toEqual([]);
});

test('the answer to a call whose caller has gone is dropped', async () => {
  const calls = queue();
  const controller = new AbortController();
  const call = calls.add('x', [], 1, { signal: controller.signal });
  calls.take();
  controller.abort();
  calls.answer([1, true]);
  await expect(call).rejects.toMatchObject({ code: 'timeout' });
  expect(calls.size).toBe(0);
});
