import { createFakeClock } from '@esdb-gater/primitives/testing';
import { expect, test } from 'vitest';
import { createOutboundBudget } from '../access/outbound-budget.ts';
import { createPageLimiter } from './page-limiter.ts';

const room = { tryEnter: () => true, leave: () => undefined, whenRoom: () => undefined };

function reads(gate: ReturnType<typeof createPageLimiter>, count: number) {
  const started: number[] = [];
  const finish: (() => void)[] = [];
  for (let index = 0; index < count; index++) {
    void gate.run('getEvents', () => {
      started.push(index);
      return new Promise<void>((resolve) => finish.push(resolve));
    });
  }
  return { started, finish };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test('only so many pages are read at once, in the order of their calls', async () => {
  const { started, finish } = reads(
    createPageLimiter(() => 0, room),
    10,
  );
  await settled();
  expect(started).toEqual([0, 1, 2, 3]);
  finish[2]?.();
  await settled();
  expect(started).toEqual([0, 1, 2, 3, 4]);
});

test('nothing overtakes a call that is held back', async () => {
  const gate = createPageLimiter(() => 0, room);
  const { finish } = reads(gate, 5);
  const order: string[] = [];
  const append = gate.run('appendEvents', () => order.push('append'));
  await settled();
  expect(order).toEqual([]);
  finish[0]?.();
  await append;
  expect(order).toEqual(['append']);
});

test('a call that is not held back starts in the same turn, and throws there', () => {
  const gate = createPageLimiter(() => 0, room);
  expect(gate.run('publish', () => 'now')).toBe('now');
  expect(() =>
    gate.run('publish', () => {
      throw new Error('refused');
    }),
  ).toThrow('refused');
});

test('pages wait until the answers before them were taken', async () => {
  let buffered = 9 * 1_048_576;
  const gate = createPageLimiter(() => buffered, room);
  const { started } = reads(gate, 1);
  await settled();
  expect(started).toEqual([]);
  buffered = 0;
  gate.drained();
  await settled();
  expect(started).toEqual([0]);
});

test('a hundred small answers of one connection are given without any time passing', async () => {
  const outbound = createOutboundBudget(createFakeClock(), { maxBytes: 64 * 1_048_576, stalledMs: 2_000 });
  const limiter = createPageLimiter(() => 0, outbound);
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, index) => limiter.run('getEvents', async () => index)),
  );
  expect(answers).toEqual(Array.from({ length: 100 }, (_, index) => index));
});
