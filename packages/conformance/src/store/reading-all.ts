import assert from 'node:assert/strict';
import { RawJson } from '@esdb-gater/types';
import { append, type CaseSpec, newEvent, newEvents, readEverything, refuses } from './harness.ts';

export const readingAll: readonly CaseSpec[] = [
  {
    title: 'an empty store reads as no events up to position 0',
    async body({ store }) {
      assert.deepEqual(await store.readAll({ storeId: store.storeId }), { events: [], lastPosition: 0 });
    },
  },
  {
    title: 'the whole store is read in the order of commits, over all streams',
    async body({ store }) {
      for (const streamId of ['b', 'a', 'b', 'c']) await append(store, streamId, [newEvent()]);
      const events = await readEverything(store);
      assert.deepEqual(
        events.map(({ position, streamId, version }) => [position, streamId, version]),
        [
          [1, 'b', 0],
          [2, 'a', 0],
          [3, 'b', 1],
          [4, 'c', 0],
        ],
      );
    },
  },
  {
    title: 'lastPosition is the last event’s when there is next, else the store’s newest',
    async body({ store }) {
      await append(store, 's', newEvents(5));
      const { storeId } = store;
      const first = await store.readAll({ storeId, limit: 2 });
      assert.deepEqual([first.events.length, first.lastPosition, first.next], [2, 2, 2]);
      const second = await store.readAll({ storeId, after: 2, limit: 3 });
      assert.deepEqual([second.events.length, second.lastPosition], [3, 5]);
      assert.equal(Object.hasOwn(second, 'next'), false);
      assert.deepEqual(await store.readAll({ storeId, after: 5 }), { events: [], lastPosition: 5 });
    },
  },
  {
    title: 'a caller that passes pages on as JSON gets the same pages, as objects or as text',
    async body({ store }) {
      await append(store, 's', newEvents(3));
      const { storeId } = store;
      const text = (page: unknown): string => (page instanceof RawJson ? page.text : JSON.stringify(page));
      const stream = { storeId, streamId: 's', count: 2 };
      const whole = { storeId, after: 1, limit: 1 };
      assert.deepEqual(
        JSON.parse(text(await store.getEvents(stream, { asJson: true }))),
        await store.getEvents(stream),
      );
      assert.deepEqual(
        JSON.parse(text(await store.readAll(whole, { asJson: true }))),
        await store.readAll(whole),
      );
    },
  },
  {
    title: 'a position beyond the newest gives no events and the newest position',
    async body({ store }) {
      await append(store, 's', newEvents(2));
      const page = await store.readAll({ storeId: store.storeId, after: 99 });
      assert.deepEqual(page, { events: [], lastPosition: 2 });
    },
  },
  {
    title: 'a limit or position out of bounds is invalid_argument',
    async body({ store }) {
      const { storeId } = store;
      for (const limit of [0, 1_001, 2.5])
        await refuses(store.readAll({ storeId, limit }), 'invalid_argument');
      for (const after of [-1, 0.5]) await refuses(store.readAll({ storeId, after }), 'invalid_argument');
    },
  },
  {
    title: 'a page of the store ends early at 8 MiB and has next',
    async body({ store }) {
      const text = 'x'.repeat(900_000);
      for (let index = 0; index < 10; index += 1)
        await append(store, `s${index}`, [newEvent('l', { data: text })]);
      const page = await store.readAll({ storeId: store.storeId, limit: 1_000 });
      assert.ok(page.events.length < 10);
      assert.equal(page.next, page.events.length);
      assert.equal((await readEverything(store)).length, 10);
    },
  },
];
