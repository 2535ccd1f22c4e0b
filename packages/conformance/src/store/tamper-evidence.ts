import assert from 'node:assert/strict';
import type { EventStore } from '@esdb-gater/types';
import { append, type CaseSpec, newEvents, refuses, type StoreTrial } from './harness.ts';

const NEEDS = ['tamperEvidence'] as const;

/** Runs a case with a store that keeps chains, and closes it. */
function withChains(body: (store: EventStore) => Promise<void>): CaseSpec['body'] {
  return async ({ openTamperEvident }: StoreTrial) => {
    assert.ok(openTamperEvident !== undefined);
    const store = await openTamperEvident();
    try {
      await body(store);
    } finally {
      await store.close();
    }
  };
}

const at = ({ storeId }: EventStore, streamId = 's') => ({ storeId, streamId });

export const tamperEvidence: readonly CaseSpec[] = [
  {
    title: 'a stream that nobody changed is verified, whatever its events carry',
    needs: NEEDS,
    body: withChains(async (store) => {
      await append(store, 's', newEvents(3));
      await append(store, 'other', newEvents(2));
      const data = { z: -0, a: ['\ud800', 1e300], __proto__: null, nested: { b: {}, a: [] } };
      await append(store, 's', [{ type: 'ü', data, tags: ['b', 'a'], metadata: { m: 1 } }]);
      assert.deepEqual(await store.verifyStream(at(store)), { verified: true });
      assert.deepEqual(await store.verifyStream(at(store, 'other')), { verified: true });
    }),
  },
  {
    title: 'a stream of more events than a page is verified as a whole, and one that was deleted too',
    needs: ['tamperEvidence', 'deletion'],
    body: withChains(async (store) => {
      for (const _ of [1, 2]) await append(store, 's', newEvents(800));
      await store.deleteStream(at(store));
      await append(store, 's', newEvents(1));
      assert.deepEqual(await store.verifyStream(at(store)), { verified: true });
    }),
  },
  {
    title: 'events that carry bytes are part of the chain',
    needs: ['tamperEvidence', 'bytes'],
    body: withChains(async (store) => {
      const events = [{ type: 't', dataBase64: 'AQID', contentType: 'a/b' }];
      await store.appendEvents({ ...at(store), events });
      assert.deepEqual(await store.verifyStream(at(store)), { verified: true });
    }),
  },
  {
    title: 'verifyStream of a stream that never existed is stream_not_found',
    needs: NEEDS,
    body: withChains(async (store) => {
      await refuses(store.verifyStream(at(store, 'none')), 'stream_not_found');
    }),
  },
  {
    title: 'a store that keeps no chain does not name verifyStream, and answers not_supported',
    needs: ['inProcess'],
    async body({ store }) {
      await append(store, 's', newEvents(1));
      assert.equal(store.methods.includes('verifyStream'), false);
      await refuses(store.verifyStream(at(store)), 'not_supported');
    },
  },
];
