import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Fifo } from './fifo.ts';

test('behaves like an array for any sequence of operations', () => {
  const action = fc.oneof(
    { weight: 4, arbitrary: fc.nat().map((value) => ({ kind: 'push', value }) as const) },
    { weight: 3, arbitrary: fc.constant({ kind: 'shift' } as const) },
    { weight: 1, arbitrary: fc.nat().map((value) => ({ kind: 'unshift', value }) as const) },
  );
  fc.assert(
    fc.property(fc.array(action, { size: 'max', maxLength: 200 }), (actions) => {
      const fifo = new Fifo<number>();
      const array: number[] = [];
      for (const one of actions) {
        if (one.kind === 'shift') expect(fifo.shift()).toBe(array.shift());
        else {
          fifo[one.kind](one.value);
          array[one.kind](one.value);
        }
        expect([fifo.length, fifo.first]).toEqual([array.length, array[0]]);
      }
    }),
  );
});

test('ten thousand values are read in order while others are added', () => {
  const fifo = new Fifo<number>();
  let written = 0;
  for (let read = 0; read < 10_000; read++) {
    while (written < Math.min(10_000, read + 3_000)) fifo.push(written++);
    if (fifo.shift() !== read) expect.unreachable(`${read} is out of order`);
  }
  expect([fifo.length, fifo.shift()]).toEqual([0, undefined]);
});

test('is empty after it was cleared', () => {
  const fifo = new Fifo<number>();
  fifo.push(1);
  fifo.clear();
  expect([fifo.length, fifo.first, fifo.shift()]).toEqual([0, undefined, undefined]);
});
