import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { countReach, fc } from '@esdb-gater/property-testing';
import { expect, test } from 'vitest';
import { countCalls } from '../testing/index.ts';
import { nextTurn } from '../waiting/next-turn.ts';
import { Fifo } from './fifo.ts';

test('behaves like an array for any sequence of operations', () => {
  const action = fc.oneof(
    { weight: 4, arbitrary: fc.nat().map((value) => ({ kind: 'push', value }) as const) },
    { weight: 3, arbitrary: fc.constant({ kind: 'shift' } as const) },
    { weight: 1, arbitrary: fc.nat().map((value) => ({ kind: 'unshift', value }) as const) },
  );
  fc.assert(
    fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
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

test('keeps the order over each compaction, also when values are put back', () => {
  const action = fc.record({
    push: fc.nat(3_000),
    shift: fc.nat(3_000),
    unshift: fc.nat(3),
  });
  const reach = countReach({ compacted: 10 });
  fc.assert(
    fc.property(fc.array(action, { minLength: 3, maxLength: 8 }), (actions) => {
      const fifo = new Fifo<number>();
      let first = 0;
      let next = 0;
      for (const { push, shift, unshift } of actions) {
        for (let n = 0; n < push; n++) fifo.push(next++);
        for (let n = 0; n < shift; n++) {
          if (fifo.shift() !== (first === next ? undefined : first)) expect.unreachable(`not ${first}`);
          if (first < next) first++;
        }
        if (shift > 1_024 && first < next) reach.count('compacted');
        for (let n = 0; n < unshift; n++) fifo.unshift(--first);
        if (fifo.length !== next - first) expect.unreachable(`${fifo.length} values`);
        expect(fifo.first).toBe(first === next ? undefined : first);
      }
    }),
    { numRuns: 40 },
  );
  reach.check();
});

test('copies a value about once while it waits, however long the queue is, and frees the places of those that left', () => {
  const fifo = new Fifo<number>();
  for (let n = 0; n < 5_000; n++) fifo.push(n);
  const copies = countCalls(Array.prototype, ['slice'], () => {
    for (let n = 0; n < 50_000; n++) {
      fifo.push(n);
      fifo.shift();
    }
  });
  // Each copies the 5 000 that wait. Fewer would keep the places of values that have left.
  expect(copies).toBe(10);
});

test('a value that has left can be collected while others wait', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const fifo = new Fifo<object>();
  const left = ((): WeakRef<object> => {
    const value = {};
    fifo.push(value);
    fifo.push({});
    fifo.shift();
    return new WeakRef(value);
  })();
  // A weak reference holds its value until the end of the turn that made it.
  await nextTurn();
  collect();
  expect(left.deref()).toBeUndefined();
  expect(fifo.length).toBe(1);
});

test('is empty after it was cleared', () => {
  const fifo = new Fifo<number>();
  fifo.push(1);
  fifo.clear();
  expect([fifo.length, fifo.first, fifo.shift()]).toEqual([0, undefined, undefined]);
});
