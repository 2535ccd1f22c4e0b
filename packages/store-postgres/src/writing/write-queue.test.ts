import { createFakeClock } from '@esdb-gater/primitives/testing';
import { expect, test } from 'vitest';
import { WriteQueue } from './write-queue.ts';
import type { WriteAnswer, WriteRequest } from './write-request.ts';

const ANSWER: WriteAnswer = { kind: 'written', parts: [] };
const REQUEST: WriteRequest = { kind: 'append', parts: [] };

function createQueue() {
  const batches: { readonly size: number; answer(): void }[] = [];
  const queue = new WriteQueue({
    maxWaitingCalls: 10_000,
    maxWaitingBytes: 1_048_576,
    clock: createFakeClock(),
    write: ({ length }) =>
      new Promise((resolve) => {
        batches.push({ size: length, answer: () => resolve(Array.from({ length }, () => ANSWER)) });
      }),
  });
  const add = (count: number) => Promise.all(Array.from({ length: count }, () => queue.add(REQUEST)));
  const sizes = () => batches.map(({ size }) => size);
  return { queue, add, sizes, batches };
}

/** Lets all promises that can go on do so. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

test('writes of one turn share a transaction, and what comes while it commits shares the next', async () => {
  const { add, sizes, batches } = createQueue();
  void add(3);
  await settle();
  void add(2);
  void add(4);
  await settle();
  expect(sizes()).toEqual([3]);
  batches[0]?.answer();
  await settle();
  expect(sizes()).toEqual([3, 6]);
});

test('when the queue is drained all are answered', async () => {
  const { queue, add, batches } = createQueue();
  const written = [add(3)];
  await settle();
  written.push(add(2));
  const drained = queue.drained();
  for (let batch = 0; batch < 2; batch += 1) {
    batches[batch]?.answer();
    await settle();
  }
  await drained;
  expect((await Promise.all(written)).flat()).toHaveLength(5);
});
