import assert from 'node:assert/strict';
import { GaterError } from '@esdb-gater/types';
import { append, type CaseSpec, newEvent, newEvents, readEverything } from './harness.ts';

export const concurrency: readonly CaseSpec[] = [
  {
    title: 'of many concurrent appends that expect one version exactly one wins [F23]',
    async body({ store }) {
      for (let round = 0; round < 5; round += 1) {
        const attempts = Array.from({ length: 40 }, () => append(store, 's', [newEvent()], round - 1));
        const outcomes = await Promise.allSettled(attempts);
        assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
        for (const outcome of outcomes) {
          if (outcome.status === 'fulfilled') continue;
          assert.ok(GaterError.is(outcome.reason));
          assert.equal(outcome.reason.code, 'wrong_expected_version');
          assert.equal(outcome.reason.details['actual'], round);
        }
      }
      assert.equal((await readEverything(store)).length, 5);
    },
  },
  {
    title: 'appends in flight together get versions and positions without hole or double',
    async body({ store }) {
      const sizes = Array.from({ length: 120 }, (_, index) => 1 + (index % 4));
      const results = await Promise.all(
        sizes.map((size, index) => append(store, `s${index % 7}`, newEvents(size))),
      );
      const events = await readEverything(store, 100);
      const total = sizes.reduce((sum, size) => sum + size, 0);
      assert.deepEqual(
        events.map((event) => event.position),
        Array.from({ length: total }, (_, index) => index + 1),
      );
      const next = new Map<string, number>();
      for (const event of events) {
        assert.equal(event.version, next.get(event.streamId) ?? 0);
        next.set(event.streamId, event.version + 1);
      }
      for (const [index, result] of results.entries()) {
        const last = events[result.position - 1];
        assert.deepEqual([last?.streamId, last?.version], [`s${index % 7}`, result.version]);
      }
    },
  },
  {
    title: 'events of one append stand next to each other',
    async body({ store }) {
      await Promise.all(
        Array.from({ length: 30 }, (_, index) =>
          append(store, `s${index % 3}`, [newEvent('b', { data: index }), newEvent('b', { data: index })]),
        ),
      );
      const events = await readEverything(store);
      for (let index = 0; index < events.length; index += 2) {
        assert.deepEqual(events[index]?.data, events[index + 1]?.data);
      }
    },
  },
  {
    title: 'a wrong append among many in flight is refused alone',
    async body({ store }) {
      const outcomes = await Promise.allSettled(
        Array.from({ length: 60 }, (_, index) =>
          append(store, `s${index}`, [newEvent()], index % 3 === 0 ? 9 : -1),
        ),
      );
      for (const [index, { status }] of outcomes.entries()) {
        assert.equal(status, index % 3 === 0 ? 'rejected' : 'fulfilled');
      }
      assert.equal((await readEverything(store)).length, 40);
    },
  },
  {
    title: 'a read sees every append that was acknowledged before it',
    async body({ store }) {
      const { storeId } = store;
      await Promise.all(
        Array.from({ length: 20 }, async (_, index) => {
          const streamId = `s${index}`;
          for (let version = 0; version < 5; version += 1) {
            const { position } = await append(store, streamId, [newEvent()], version - 1);
            assert.deepEqual(await store.getVersion({ storeId, streamId }), { version });
            const page = await store.readAll({ storeId, after: position - 1, limit: 1 });
            assert.equal(page.events[0]?.streamId, streamId);
          }
        }),
      );
    },
  },
  {
    title: 'a reader at a position never later sees an event at or below it',
    async body({ store }) {
      const { storeId } = store;
      let writing = true;
      const seen: number[] = [];
      const reading = (async () => {
        let after = 0;
        while (writing || seen.length < 200) {
          const page = await store.readAll({ storeId, after, limit: 50 });
          seen.push(...page.events.map((event) => event.position));
          after = page.lastPosition;
        }
      })();
      await Promise.all(Array.from({ length: 100 }, (_, index) => append(store, `s${index}`, newEvents(2))));
      writing = false;
      await reading;
      assert.deepEqual(
        seen,
        Array.from({ length: 200 }, (_, index) => index + 1),
      );
    },
  },
];
