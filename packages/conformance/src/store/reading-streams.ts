import assert from 'node:assert/strict';
import type { RecordedEvent } from '@esdb-gater/types';
import { append, type CaseSpec, newEvent, newEvents, refuses, versions } from './harness.ts';

export const readingStreams: readonly CaseSpec[] = [
  {
    title: 'a missing stream reads as stream_not_found, has version -1 and does not exist',
    async body({ store }) {
      const at = { storeId: store.storeId, streamId: 'nowhere' };
      await refuses(store.getEvents(at), 'stream_not_found', { streamId: 'nowhere' });
      await refuses(store.getEvents({ ...at, direction: 'backward' }), 'stream_not_found');
      assert.deepEqual(await store.getVersion(at), { version: -1 });
      assert.deepEqual(await store.streamExists(at), { exists: false });
    },
  },
  {
    title: 'a stream is read from version 0, with its version and no next',
    async body({ store }) {
      await append(store, 'other', newEvents(2));
      await append(store, 's', newEvents(3));
      const at = { storeId: store.storeId, streamId: 's' };
      const page = await store.getEvents(at);
      assert.deepEqual(versions(page.events), [0, 1, 2]);
      assert.deepEqual(
        page.events.map((event) => event.type),
        ['e0', 'e1', 'e2'],
      );
      assert.equal(page.version, 2);
      assert.equal(Object.hasOwn(page, 'next'), false);
      assert.deepEqual(await store.streamExists(at), { exists: true });
    },
  },
  {
    title: 'pages forward follow each other by next',
    async body({ store }) {
      await append(store, 's', newEvents(7));
      const at = { storeId: store.storeId, streamId: 's', count: 3 };
      const first = await store.getEvents(at);
      assert.deepEqual([versions(first.events), first.next, first.version], [[0, 1, 2], 3, 6]);
      const second = await store.getEvents({ ...at, startVersion: 3 });
      assert.deepEqual([versions(second.events), second.next], [[3, 4, 5], 6]);
      const third = await store.getEvents({ ...at, startVersion: 6 });
      assert.deepEqual([versions(third.events), third.next], [[6], undefined]);
    },
  },
  {
    title: 'pages backward begin with the newest and end with version 0, inclusive',
    async body({ store }) {
      await append(store, 's', newEvents(5));
      const at = { storeId: store.storeId, streamId: 's', direction: 'backward', count: 2 } as const;
      const first = await store.getEvents(at);
      assert.deepEqual([versions(first.events), first.next, first.version], [[4, 3], 2, 4]);
      const second = await store.getEvents({ ...at, startVersion: 2 });
      assert.deepEqual([versions(second.events), second.next], [[2, 1], 0]);
      const third = await store.getEvents({ ...at, startVersion: 0 });
      assert.deepEqual([versions(third.events), third.next], [[0], undefined]);
      const newest = await store.getEvents({ ...at, startVersion: -1, count: 1 });
      assert.deepEqual(versions(newest.events), [4]);
    },
  },
  {
    title: 'a page that ends exactly with the stream has no next',
    async body({ store }) {
      await append(store, 's', newEvents(4));
      const at = { storeId: store.storeId, streamId: 's', count: 4 };
      assert.equal((await store.getEvents(at)).next, undefined);
      assert.equal((await store.getEvents({ ...at, direction: 'backward' })).next, undefined);
    },
  },
  {
    title: 'a start beyond the end is an empty page forward, and the newest event backward',
    async body({ store }) {
      await append(store, 's', newEvents(2));
      const at = { storeId: store.storeId, streamId: 's', startVersion: 10 };
      assert.deepEqual(await store.getEvents(at), { events: [], version: 1 });
      const backward = await store.getEvents({ ...at, direction: 'backward' });
      assert.deepEqual(versions(backward.events), [1, 0]);
    },
  },
  {
    title: 'a page has 100 events unless told otherwise, and at most 1 000',
    async body({ store }) {
      await append(store, 's', newEvents(1_000));
      await append(store, 's', newEvents(50));
      const at = { storeId: store.storeId, streamId: 's' };
      assert.equal((await store.getEvents(at)).events.length, 100);
      const full = await store.getEvents({ ...at, count: 1_000 });
      assert.deepEqual([full.events.length, full.next], [1_000, 1_000]);
      for (const count of [0, 1_001, 1.5, -1]) {
        await refuses(store.getEvents({ ...at, count }), 'invalid_argument');
      }
    },
  },
  {
    title: 'a negative start is invalid_argument forward, and below -1 backward',
    async body({ store }) {
      await append(store, 's', newEvents(2));
      const at = { storeId: store.storeId, streamId: 's' };
      await refuses(store.getEvents({ ...at, startVersion: -1 }), 'invalid_argument');
      await refuses(store.getEvents({ ...at, startVersion: -2, direction: 'backward' }), 'invalid_argument');
    },
  },
  {
    title: 'a page ends early at 8 MiB and has next, and the pages give everything once',
    async body({ store }) {
      const text = 'ä'.repeat(450_000);
      for (let index = 0; index < 10; index += 1) {
        await append(store, 's', [newEvent('large', { data: { index, text } })]);
      }
      const at = { storeId: store.storeId, streamId: 's', count: 1_000 };
      for (const direction of ['forward', 'backward'] as const) {
        const seen: RecordedEvent[] = [];
        let startVersion: number | undefined = direction === 'forward' ? 0 : -1;
        let pages = 0;
        while (startVersion !== undefined) {
          const page = await store.getEvents({ ...at, direction, startVersion });
          assert.ok(Buffer.byteLength(JSON.stringify(page.events)) <= 8_388_608 + 1_000);
          seen.push(...page.events);
          startVersion = page.next;
          pages += 1;
        }
        assert.ok(pages >= 2, 'ten events of 900 kB are more than one page');
        const expected = Array.from({ length: 10 }, (_, index) => index);
        assert.deepEqual(versions(seen), direction === 'forward' ? expected : expected.toReversed());
      }
    },
  },
];
