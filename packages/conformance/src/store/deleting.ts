import assert from 'node:assert/strict';
import { ANY_VERSION, NO_STREAM, STREAM_EXISTS } from '@esdb-gater/types';
import { append, type CaseSpec, newEvent, newEvents, readEverything, refuses, versions } from './harness.ts';

export const deleting: readonly CaseSpec[] = [
  {
    title: 'after a delete reads give stream_deleted, and the version stays the last one',
    needs: ['deletion'],
    async body({ store }) {
      await append(store, 's', newEvents(3));
      const at = { storeId: store.storeId, streamId: 's' };
      assert.deepEqual(await store.deleteStream(at), { version: 2 });
      await refuses(store.getEvents(at), 'stream_deleted');
      await refuses(store.getEvents({ ...at, direction: 'backward' }), 'stream_deleted');
      assert.deepEqual(await store.streamExists(at), { exists: false });
      assert.deepEqual(await store.getVersion(at), { version: 2 });
      assert.deepEqual(await store.getStreams({ storeId: store.storeId }), { streams: [] });
    },
  },
  {
    title: 'readAll still sees the events of a deleted stream',
    needs: ['deletion'],
    async body({ store }) {
      await append(store, 's', newEvents(2));
      await store.deleteStream({ storeId: store.storeId, streamId: 's' });
      assert.deepEqual(versions(await readEverything(store)), [0, 1]);
    },
  },
  {
    title: 'versions are never reused after a delete',
    needs: ['deletion'],
    async body({ store }) {
      for (const expectedVersion of [NO_STREAM, ANY_VERSION, 2]) {
        const at = { storeId: store.storeId, streamId: `s${expectedVersion}` };
        await append(store, at.streamId, newEvents(3));
        await store.deleteStream(at);
        assert.equal((await append(store, at.streamId, newEvents(2), expectedVersion)).version, 4);
      }
    },
  },
  {
    title: 'a stream that began again reads what came since, in both directions',
    needs: ['deletion'],
    async body({ store }) {
      const at = { storeId: store.storeId, streamId: 's' };
      await append(store, 's', newEvents(3));
      await store.deleteStream(at);
      await append(store, 's', newEvents(2));
      const forward = await store.getEvents(at);
      assert.deepEqual([versions(forward.events), forward.version, forward.next], [[3, 4], 4, undefined]);
      const backward = await store.getEvents({ ...at, direction: 'backward', count: 1 });
      assert.deepEqual([versions(backward.events), backward.next], [[4], 3]);
      const last = await store.getEvents({ ...at, direction: 'backward', startVersion: 3 });
      assert.deepEqual([versions(last.events), last.next], [[3], undefined]);
      assert.deepEqual((await store.getEvents({ ...at, direction: 'backward', startVersion: 2 })).events, []);
      assert.deepEqual(await store.streamExists(at), { exists: true });
      assert.deepEqual(await store.getStreams({ storeId: store.storeId }), { streams: ['s'] });
    },
  },
  {
    title: 'STREAM_EXISTS and another delete of a deleted stream give stream_deleted',
    needs: ['deletion'],
    async body({ store }) {
      const at = { storeId: store.storeId, streamId: 's' };
      await append(store, 's', newEvents(1));
      await store.deleteStream(at);
      await refuses(append(store, 's', [newEvent()], STREAM_EXISTS), 'stream_deleted');
      await refuses(store.deleteStream(at), 'stream_deleted');
      await refuses(store.deleteStream({ ...at, expectedVersion: 0 }), 'stream_deleted');
    },
  },
  {
    title: 'another version than the last is refused for a deleted stream',
    needs: ['deletion'],
    async body({ store }) {
      await append(store, 's', newEvents(3));
      await store.deleteStream({ storeId: store.storeId, streamId: 's' });
      await refuses(append(store, 's', [newEvent()], 1), 'wrong_expected_version', { actual: 2 });
    },
  },
  {
    title: 'a delete checks its expected version',
    needs: ['deletion'],
    async body({ store }) {
      const at = { storeId: store.storeId, streamId: 's' };
      await append(store, 's', newEvents(3));
      const wrong = { streamId: 's', expected: 1, actual: 2 };
      await refuses(store.deleteStream({ ...at, expectedVersion: 1 }), 'wrong_expected_version', wrong);
      await refuses(store.deleteStream({ ...at, expectedVersion: NO_STREAM }), 'wrong_expected_version');
      assert.deepEqual(await store.streamExists(at), { exists: true });
      assert.deepEqual(await store.deleteStream({ ...at, expectedVersion: 2 }), { version: 2 });
    },
  },
  {
    title: 'deleting a stream that never was is stream_not_found',
    needs: ['deletion'],
    async body({ store }) {
      await refuses(store.deleteStream({ storeId: store.storeId, streamId: 's' }), 'stream_not_found');
    },
  },
  {
    title: 'a stream can be deleted and begun again many times',
    needs: ['deletion'],
    async body({ store }) {
      const at = { storeId: store.storeId, streamId: 's' };
      for (let life = 0; life < 4; life += 1) {
        assert.equal((await append(store, 's', newEvents(2), NO_STREAM)).version, life * 2 + 1);
        assert.deepEqual(versions((await store.getEvents(at)).events), [life * 2, life * 2 + 1]);
        await store.deleteStream({ ...at, expectedVersion: STREAM_EXISTS });
      }
      assert.equal((await readEverything(store)).length, 8);
    },
  },
  {
    title: 'an append from before the delete is still recognised as a duplicate',
    needs: ['deletion'],
    async body({ store }) {
      const events = newEvents(2);
      await append(store, 's', events);
      await store.deleteStream({ storeId: store.storeId, streamId: 's' });
      assert.equal((await append(store, 's', events)).duplicate, true);
      await refuses(store.getEvents({ storeId: store.storeId, streamId: 's' }), 'stream_deleted');
    },
  },
];
