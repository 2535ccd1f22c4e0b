import assert from 'node:assert/strict';
import { append, type CaseSpec, newEvent, newEvents, readEverything, refuses } from './harness.ts';

export const durability: readonly CaseSpec[] = [
  {
    title: 'everything still exists after the store was reopened',
    needs: ['durability', 'deletion', 'snapshots', 'feed'],
    async body(trial) {
      const { store } = trial;
      const { storeId, storeUuid } = store;
      const events = newEvents(3);
      await append(store, 'a', events);
      await append(store, 'gone', newEvents(2));
      await store.deleteStream({ storeId, streamId: 'gone' });
      await store.recordSnapshot({ storeId, sourceUuid: 'x', streamUuid: 'y', version: 1, record: { a: 1 } });
      const checkpoint = { position: 4, proof: 'abcdefgh', earlier: [{ position: 2, proof: 'ijklmnop' }] };
      await store.feedCheckpoint.save(checkpoint);
      const before = await readEverything(store);
      const snapshot = await store.readSnapshot({ storeId, sourceUuid: 'x', streamUuid: 'y' });

      const again = (await trial.reopen?.()) ?? store;
      assert.equal(again.storeUuid, storeUuid);
      assert.deepEqual(await readEverything(again), before);
      assert.deepEqual(await again.readSnapshot({ storeId, sourceUuid: 'x', streamUuid: 'y' }), snapshot);
      assert.deepEqual(await again.feedCheckpoint.load(), checkpoint);
      assert.equal((await append(again, 'a', events, -1)).duplicate, true);
      await refuses(again.getEvents({ storeId, streamId: 'gone' }), 'stream_deleted');
    },
  },
  {
    title: 'versions, positions and times continue after the store was reopened',
    needs: ['durability', 'deletion'],
    async body(trial) {
      const { store } = trial;
      await append(store, 'a', newEvents(3));
      await store.deleteStream({ storeId: store.storeId, streamId: 'a' });
      const again = (await trial.reopen?.()) ?? store;
      const next = await append(again, 'a', [newEvent()], -1);
      assert.deepEqual([next.version, next.position], [3, 4]);
      await append(again, 'b', [newEvent()], -1);
      const events = await readEverything(again);
      assert.deepEqual(
        events.map((event) => event.position),
        [1, 2, 3, 4, 5],
      );
      const times = events.map((event) => event.epochUs);
      assert.deepEqual(
        times,
        times.toSorted((a, b) => a - b),
      );
    },
  },
];
