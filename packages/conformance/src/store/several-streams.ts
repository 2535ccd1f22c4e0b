import assert from 'node:assert/strict';
import {
  type AppendCondition,
  type AppendToStreamsResult,
  type EventStore,
  GaterError,
  type StreamAppend,
} from '@esdb-gater/types';
import { append, type CaseSpec, newEvent, newEvents, readEverything, refuses } from './harness.ts';

const NEEDS = ['severalStreams'] as const;

function appendAll(
  store: EventStore,
  appends: readonly StreamAppend[],
  condition?: AppendCondition,
): Promise<AppendToStreamsResult> {
  return store.appendToStreams({
    storeId: store.storeId,
    appends,
    ...(condition === undefined ? {} : { condition }),
  });
}

async function versionOf(store: EventStore, streamId: string): Promise<number> {
  return (await store.getVersion({ storeId: store.storeId, streamId })).version;
}

export const severalStreams: readonly CaseSpec[] = [
  {
    title: 'an append to several streams gives a result for each, with positions that follow each other',
    needs: NEEDS,
    async body({ store }) {
      await append(store, 'b', newEvents(2));
      const { results } = await appendAll(store, [
        { streamId: 'a', events: newEvents(2), expectedVersion: -1 },
        { streamId: 'b', events: newEvents(1), expectedVersion: 1 },
        { streamId: 'c', events: newEvents(3) },
      ]);
      assert.deepEqual(results, [
        { version: 1, position: 4, count: 2, duplicate: false },
        { version: 2, position: 5, count: 1, duplicate: false },
        { version: 2, position: 8, count: 3, duplicate: false },
      ]);
      const events = await readEverything(store);
      assert.equal(events.map(({ streamId }) => streamId).join(''), 'bbaabccc');
      assert.deepEqual(
        events.map(({ position }) => position),
        [1, 2, 3, 4, 5, 6, 7, 8],
      );
    },
  },
  {
    title: 'when one expected version is wrong, nothing is written to any stream',
    needs: NEEDS,
    async body({ store }) {
      await append(store, 'b', newEvents(2));
      const call = appendAll(store, [
        { streamId: 'a', events: newEvents(2) },
        { streamId: 'b', events: newEvents(1), expectedVersion: 0 },
      ]);
      await refuses(call, 'wrong_expected_version', { streamId: 'b', expected: 0, actual: 1 });
      assert.equal((await readEverything(store)).length, 2);
      assert.equal(await versionOf(store, 'a'), -1);
    },
  },
  {
    title: 'an append without events only checks the version of its stream',
    needs: NEEDS,
    async body({ store }) {
      await append(store, 'a', newEvents(3));
      const { results } = await appendAll(store, [
        { streamId: 'a', events: [], expectedVersion: 2 },
        { streamId: 'b', events: newEvents(1) },
        { streamId: 'none', events: [], expectedVersion: -1 },
      ]);
      assert.deepEqual(results, [
        { version: 2, count: 0, duplicate: false },
        { version: 0, position: 4, count: 1, duplicate: false },
        { version: -1, count: 0, duplicate: false },
      ]);
      for (const [streamId, expectedVersion] of [
        ['a', 1],
        ['a', -1],
        ['none', 0],
        ['none', -4],
      ] as const) {
        const check = { streamId, events: [], expectedVersion };
        const call = appendAll(store, [{ streamId: 'b', events: newEvents(1) }, check]);
        await refuses(call, 'wrong_expected_version', { streamId });
      }
      assert.equal(await versionOf(store, 'none'), -1);
      assert.equal((await readEverything(store)).length, 4);
    },
  },
  {
    title: 'checks alone write nothing and do not create streams',
    needs: NEEDS,
    async body({ store }) {
      const { storeId } = store;
      const { results } = await appendAll(store, [{ streamId: 'a', events: [] }]);
      assert.deepEqual(results, [{ version: -1, count: 0, duplicate: false }]);
      assert.deepEqual(await store.getStreams({ storeId }), { streams: [] });
      assert.equal((await append(store, 'a', newEvents(1), -1)).position, 1);
    },
  },
  {
    title: 'a repeated call is a duplicate as a whole, whatever its versions and condition say by then',
    needs: ['severalStreams', 'queries'],
    async body({ store }) {
      await append(store, 'checked', newEvents(1));
      const appends = [
        { streamId: 'a', events: newEvents(2), expectedVersion: -1 },
        { streamId: 'checked', events: [], expectedVersion: 0 },
        { streamId: 'b', events: [newEvent('x')], expectedVersion: -1 },
      ];
      const condition = { failIfEventsMatch: { items: [{ types: ['x'] }] } };
      const { results } = await appendAll(store, appends, condition);
      await append(store, 'a', newEvents(1));
      await append(store, 'checked', newEvents(1));
      assert.deepEqual(await appendAll(store, appends, condition), {
        results: results.map((result) => ({ ...result, duplicate: true })),
      });
      assert.equal((await readEverything(store)).length, 6);
    },
  },
  {
    title: 'when some streams have the events already and others do not, it is id_conflict',
    needs: NEEDS,
    async body({ store }) {
      const known = newEvents(1);
      await append(store, 'a', known);
      const call = appendAll(store, [
        { streamId: 'a', events: known },
        { streamId: 'b', events: newEvents(1) },
      ]);
      await refuses(call, 'invalid_argument', { reason: 'id_conflict' });
      assert.equal(await versionOf(store, 'b'), -1);
    },
  },
  {
    title: 'the same event id may be in two streams of a call',
    needs: NEEDS,
    async body({ store }) {
      const event = newEvent();
      const { results } = await appendAll(store, [
        { streamId: 'a', events: [event] },
        { streamId: 'b', events: [event] },
      ]);
      assert.deepEqual(
        results.map(({ duplicate }) => duplicate),
        [false, false],
      );
    },
  },
  {
    title: 'a stream that is named twice, too many events, or no appends are invalid_argument',
    needs: NEEDS,
    async body({ store }) {
      const twice = [
        { streamId: 'a', events: newEvents(1) },
        { streamId: 'a', events: [], expectedVersion: 0 },
      ];
      await refuses(appendAll(store, twice), 'invalid_argument', { reason: 'appends' });
      await refuses(appendAll(store, []), 'invalid_argument');
      const many = [
        { streamId: 'a', events: newEvents(600) },
        { streamId: 'b', events: newEvents(401) },
      ];
      await refuses(appendAll(store, many), 'invalid_argument', { reason: 'events' });
      await refuses(appendAll(store, [{ streamId: '..', events: newEvents(1) }]), 'invalid_argument');
      assert.deepEqual(await readEverything(store), []);
    },
  },
  {
    title: '1000 events to 1000 streams are one append, and listeners hear of it once',
    needs: [...NEEDS, 'inProcess'],
    async body({ store }) {
      const heard: number[] = [];
      store.onCommitted((position) => heard.push(position));
      const appends = Array.from({ length: 1_000 }, (_, index) => ({
        streamId: `s${index}`,
        events: [newEvent()],
        expectedVersion: -1,
      }));
      const { results } = await appendAll(store, appends);
      assert.deepEqual(
        results.map(({ position }) => position),
        Array.from({ length: 1_000 }, (_, index) => index + 1),
      );
      assert.deepEqual(heard, [1_000]);
    },
  },
  {
    title: 'a failed condition fails the append to several streams as a whole',
    needs: ['severalStreams', 'queries'],
    async body({ store }) {
      await append(store, 'a', [newEvent('x', { tags: ['t'] })]);
      const appends = [
        { streamId: 'a', events: newEvents(1) },
        { streamId: 'b', events: newEvents(1) },
      ];
      const condition = { failIfEventsMatch: { items: [{ tags: ['t'] }] } };
      await refuses(appendAll(store, appends, condition), 'append_condition_failed', { position: 1 });
      assert.equal((await appendAll(store, appends, { ...condition, after: 1 })).results[1]?.position, 3);
    },
  },
  {
    title: 'an append to a deleted stream begins it again, and a check sees that it is deleted',
    needs: ['severalStreams', 'deletion'],
    async body({ store }) {
      await append(store, 'a', newEvents(2));
      await store.deleteStream({ storeId: store.storeId, streamId: 'a' });
      const check = { streamId: 'a', events: [], expectedVersion: -4 };
      await refuses(appendAll(store, [check]), 'stream_deleted');
      const { results } = await appendAll(store, [{ ...check, events: newEvents(1), expectedVersion: -1 }]);
      assert.equal(results[0]?.version, 2);
    },
  },
  {
    title: 'of many concurrent appends to the same two streams exactly one wins',
    needs: NEEDS,
    async body({ store }) {
      const outcomes = await Promise.allSettled(
        Array.from({ length: 40 }, (_, index) => {
          const appends = ['a', 'b'].map((streamId) => ({
            streamId,
            events: [newEvent()],
            expectedVersion: -1,
          }));
          return appendAll(store, index % 2 === 0 ? appends : appends.reverse());
        }),
      );
      assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') assert.ok(GaterError.is(outcome.reason, 'wrong_expected_version'));
      }
      assert.equal((await readEverything(store)).length, 2);
    },
  },
];
