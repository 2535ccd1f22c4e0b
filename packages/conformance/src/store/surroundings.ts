import assert from 'node:assert/strict';
import { GaterError } from '@esdb-gater/types';
import { append, type CaseSpec, newEvent, newEvents, readEverything, refuses } from './harness.ts';

const REQUIRED = [
  'appendEvents',
  'getEvents',
  'getVersion',
  'streamExists',
  'getStreams',
  'readAll',
  'quickHealthCheck',
];

export const surroundings: readonly CaseSpec[] = [
  {
    title: 'a store tells its ids and the methods that every worker must serve',
    needs: ['inProcess'],
    async body({ store }) {
      assert.match(store.storeId, /^[A-Za-z0-9_-]{1,64}$/);
      assert.match(store.storeUuid, /^[0-9a-f-]{36}$/);
      for (const method of REQUIRED) assert.ok(store.methods.includes(method), method);
    },
  },
  {
    title: 'a call for another store is store_not_found',
    async body({ store }) {
      const call = store.appendEvents({ storeId: 'other', streamId: 's', events: newEvents(1) });
      await refuses(call, 'store_not_found');
      await refuses(store.readAll({ storeId: 'other' }), 'store_not_found');
    },
  },
  {
    title: 'the probe answers',
    async body({ store }) {
      assert.deepEqual(await store.quickHealthCheck(), {});
    },
  },
  {
    title: 'a call whose caller has stopped waiting is timeout, and nothing is written',
    needs: ['inProcess'],
    async body({ store }) {
      const params = { storeId: store.storeId, streamId: 's', events: [newEvent()] };
      const aborted = { signal: AbortSignal.abort() };
      await refuses(store.appendEvents(params, aborted), 'timeout');
      await refuses(store.readAll({ storeId: store.storeId }, aborted), 'timeout');
      await refuses(store.appendEvents(params, { deadlineMs: 0 }), 'timeout');
      assert.deepEqual(await readEverything(store), []);
    },
  },
  {
    title: 'a GaterError as the reason of an abort is what the caller gets',
    needs: ['inProcess'],
    async body({ store }) {
      const signal = AbortSignal.abort(new GaterError('unavailable', 'the gateway stops'));
      await refuses(store.readAll({ storeId: store.storeId }, { signal }), 'unavailable');
    },
  },
  {
    title: 'an abort during a call leaves the store consistent',
    async body({ store }) {
      const attempts = Array.from({ length: 50 }, async (_, index) => {
        const controller = new AbortController();
        const params = { storeId: store.storeId, streamId: `s${index}`, events: [newEvent()] };
        const call = store.appendEvents(params, { signal: controller.signal, deadlineMs: 60_000 });
        controller.abort();
        return call.catch((error: unknown) => assert.ok(GaterError.is(error) && error.code === 'timeout'));
      });
      await Promise.all(attempts);
      const { position } = await append(store, 'after', [newEvent()]);
      const events = await readEverything(store);
      assert.deepEqual(
        events.map((event) => event.position),
        Array.from({ length: position }, (_, index) => index + 1),
      );
    },
  },
  {
    title: 'the feed’s checkpoint starts at 0 and moves back only with a new turn',
    needs: ['feed'],
    async body({ store }) {
      const { feedCheckpoint } = store;
      assert.equal((await feedCheckpoint.load()).position, 0);
      const reached = { position: 5, proof: 'abcdefgh' };
      await feedCheckpoint.save(reached);
      await feedCheckpoint.save({ position: 3, proof: 'ijklmnop' });
      assert.deepEqual(await feedCheckpoint.load(), reached);
      const back = { position: 2, proof: 'qrstuvwx', turn: 1 };
      await feedCheckpoint.save(back);
      await feedCheckpoint.save({ position: 9, proof: 'abcdefgh' });
      assert.deepEqual(await feedCheckpoint.load(), back);
    },
  },
  {
    title: 'a closed store is unavailable, and closing it again does nothing',
    needs: ['inProcess'],
    async body({ store }) {
      const pending = append(store, 's', [newEvent()]);
      await Promise.all([store.close(), store.close()]);
      assert.equal((await pending).version, 0);
      await refuses(append(store, 's', [newEvent()]), 'unavailable');
      await refuses(store.readAll({ storeId: store.storeId }), 'unavailable');
      await refuses(store.quickHealthCheck(), 'unavailable');
    },
  },
];
