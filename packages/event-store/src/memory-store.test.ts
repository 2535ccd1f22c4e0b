import { storeSuite } from '@esdb-gater/conformance';
import { createFakeClock } from '@esdb-gater/primitives/testing';
import { GaterError } from '@esdb-gater/types';
import { expect, test } from 'vitest';
import { createMemoryStore } from './memory-store.ts';

for (const { title, run } of storeSuite({
  name: 'memory store',
  open: async () => createMemoryStore({ storeId: 'memory' }),
})) {
  test(title, run);
}

test('a clock that jumps back does not make the time of events decrease', async () => {
  const clock = createFakeClock(2_000_000_000_000);
  const store = createMemoryStore({ storeId: 's', clock });
  await store.appendEvents({ storeId: 's', streamId: 'a', events: [{ type: 't', data: 1 }] });
  clock.setNow(clock.now() - 3_600_000);
  await store.appendEvents({ storeId: 's', streamId: 'a', events: [{ type: 't', data: 2 }] });
  const { events } = await store.readAll({ storeId: 's' });
  expect(events.map((event) => event.epochUs)).toEqual([2_000_000_000_000_000, 2_000_000_000_000_000]);
});

test('a listener that throws is logged and does not fail the append', async () => {
  const reported: object[] = [];
  const logger = { debug() {}, info() {}, warn() {}, error: (fields: object) => void reported.push(fields) };
  const store = createMemoryStore({ storeId: 's', logger });
  store.onCommitted(() => {
    throw new Error('mine');
  });
  await store.appendEvents({ storeId: 's', streamId: 'a', events: [{ type: 't', data: 1 }] });
  expect(reported).toHaveLength(1);
});

test('a store id out of bounds is invalid_argument', () => {
  expect(() => createMemoryStore({ storeId: 'a b' })).toThrow(GaterError);
});
