import assert from 'node:assert/strict';
import { isUuid } from '@esdb-gater/primitives';
import { append, type CaseSpec, newEvent, newEvents, readEverything, refuses } from './harness.ts';

export const appending: readonly CaseSpec[] = [
  {
    title: 'the first event has version 0 and position 1',
    async body({ store }) {
      assert.deepEqual(await append(store, 'first', [newEvent()]), {
        version: 0,
        position: 1,
        count: 1,
        duplicate: false,
      });
    },
  },
  {
    title: 'an append answers with version and position of its last event',
    async body({ store }) {
      await append(store, 'other', newEvents(2));
      const result = await append(store, 'mine', newEvents(3));
      assert.deepEqual(result, { version: 2, position: 5, count: 3, duplicate: false });
    },
  },
  {
    title: 'an event comes back with every member it was given and what the store adds',
    async body({ store }) {
      const event = newEvent('user_created', {
        data: { name: 'Ada' },
        metadata: { correlationId: 'c1', causationId: 'c2' },
        tags: ['user:1', 'admin'],
      });
      const before = Date.now();
      await append(store, 'user-1', [event]);
      const [read, ...more] = await readEverything(store);
      assert.ok(read);
      assert.equal(more.length, 0);
      const { timestamp, epochUs, ...rest } = read;
      assert.deepEqual(rest, {
        ...event,
        storeId: store.storeId,
        streamId: 'user-1',
        version: 0,
        position: 1,
      });
      assert.match(timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      assert.equal(new Date(timestamp).getTime(), Math.floor(epochUs / 1_000));
      assert.ok(Math.abs(epochUs / 1_000 - before) < 60_000, 'the time is near the caller’s');
    },
  },
  {
    title: 'an event without metadata and tags has empty ones',
    async body({ store }) {
      await append(store, 's', [newEvent()]);
      const [read] = await readEverything(store);
      assert.deepEqual([read?.metadata, read?.tags], [{}, []]);
    },
  },
  {
    title: 'an event without an id gets a UUID',
    async body({ store }) {
      await append(store, 's', [
        { type: 'a', data: 1 },
        { type: 'b', data: 2 },
      ]);
      const ids = (await readEverything(store)).map((event) => event.id);
      assert.equal(new Set(ids).size, 2);
      for (const id of ids) assert.ok(isUuid(id), `${id} is a UUID`);
    },
  },
  {
    title: 'a thousand events are one append',
    async body({ store }) {
      const result = await append(store, 'many', newEvents(1_000));
      assert.deepEqual([result.version, result.count], [999, 1_000]);
      assert.equal((await readEverything(store)).length, 1_000);
    },
  },
  {
    title: 'an append of no events or of more than a thousand is refused',
    async body({ store }) {
      await refuses(append(store, 's', []), 'invalid_argument');
      await refuses(append(store, 's', newEvents(1_001)), 'invalid_argument');
      assert.deepEqual(await readEverything(store), []);
    },
  },
  {
    title: 'an append is all or nothing: one wrong event keeps the others out',
    async body({ store }) {
      await refuses(append(store, 's', [newEvent(), newEvent('\u0000')]), 'invalid_argument');
      assert.deepEqual(await store.getVersion({ storeId: store.storeId, streamId: 's' }), { version: -1 });
    },
  },
  {
    title: 'the time of events never decreases in a store',
    async body({ store }) {
      for (let index = 0; index < 20; index += 1) await append(store, `s${index % 3}`, newEvents(3));
      const times = (await readEverything(store)).map((event) => event.epochUs);
      assert.deepEqual(
        times,
        times.toSorted((a, b) => a - b),
      );
      assert.ok(times.every(Number.isSafeInteger));
    },
  },
  {
    title: 'listeners are called with the newest position after each commit, until they are detached',
    needs: ['feed'],
    async body({ store }) {
      const heard: number[] = [];
      const detach = store.onCommitted((position) => heard.push(position));
      await append(store, 's', newEvents(2));
      await append(store, 's', [newEvent()]);
      detach();
      await append(store, 's', [newEvent()]);
      assert.deepEqual(heard, [2, 3]);
    },
  },
];
