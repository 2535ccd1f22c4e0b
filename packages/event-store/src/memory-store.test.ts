import { storeSuite } from '@esdb-gater/conformance';
import { createFakeClock } from '@esdb-gater/primitives/testing';
import { GaterError } from '@esdb-gater/types';
import { expect, test } from 'vitest';
import { createMemoryStore } from './memory-store.ts';

for (const { title, run } of storeSuite({
  name: 'memory store',
  open: async () => createMemoryStore({ storeId: 'memory' }),
  openTamperEvident: async () => createMemoryStore({ storeId: 'memory', tamperEvident: true }),
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

test.each([
  ['before 2000', Date.UTC(1960)],
  ['after 2200', Date.UTC(2260)],
  ['not a number', Number.NaN],
])(
  'with a clock that is %s appends and snapshots are unavailable and name the clock [R19] [F31]',
  async (_name, nowMs) => {
    const clock = createFakeClock(2_000_000_000_000);
    const store = createMemoryStore({ storeId: 's', clock });
    const events = [{ id: crypto.randomUUID(), type: 't', data: 1 }];
    await store.appendEvents({ storeId: 's', streamId: 'a', events });
    clock.setNow(nowMs);
    const refusal = {
      code: 'unavailable',
      message: expect.stringMatching(/^the clock must show a time from 2000/),
    };
    const append = (more: object) =>
      store.appendEvents({ storeId: 's', streamId: 'a', events: [{ type: 't', data: 2, ...more }] });
    await expect(append({ id: crypto.randomUUID() })).rejects.toMatchObject(refusal);
    await expect(append({})).rejects.toMatchObject({ code: 'unavailable' });
    const snapshot = { storeId: 's', sourceUuid: 's', streamUuid: 'u', version: 1, record: 1 };
    await expect(store.recordSnapshot(snapshot)).rejects.toMatchObject(refusal);
    expect((await store.readAll({ storeId: 's' })).events).toHaveLength(1);
    clock.setNow(2_000_000_000_001);
    expect(await append({})).toMatchObject({ version: 1 });
  },
);

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
