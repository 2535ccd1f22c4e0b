import assert from 'node:assert/strict';
import {
  type AppendCondition,
  type AppendResult,
  type EventQueryItem,
  type EventStore,
  GaterError,
  type NewEvent,
} from '@esdb-gater/types';
import { append, type CaseSpec, newEvent, newEvents, readEverything, refuses } from './harness.ts';

const NEEDS = ['queries'] as const;

/** Fails when an event after that position matches one of the items. */
export function unless(items: readonly EventQueryItem[], after?: number): AppendCondition {
  return { failIfEventsMatch: { items }, ...(after === undefined ? {} : { after }) };
}

function appendIf(
  store: EventStore,
  streamId: string,
  events: readonly NewEvent[],
  condition: AppendCondition,
  rest: object = {},
): Promise<AppendResult> {
  return store.appendEvents({ storeId: store.storeId, streamId, events, condition, ...rest });
}

export const conditions: readonly CaseSpec[] = [
  {
    title: 'an append whose condition no event fails is written, in an empty store too',
    needs: NEEDS,
    async body({ store }) {
      const condition = unless([{ types: ['a'], tags: ['x'] }]);
      assert.equal((await appendIf(store, 's', [newEvent('b', { tags: ['x'] })], condition)).position, 1);
      assert.equal((await appendIf(store, 's', [newEvent('a', { tags: ['y'] })], condition)).position, 2);
      assert.equal((await appendIf(store, 't', [newEvent('a', { tags: ['x'] })], condition)).position, 3);
    },
  },
  {
    title: 'a failed condition tells the position of the first match, and nothing is written',
    needs: NEEDS,
    async body({ store }) {
      for (const tag of ['x', 'y', 'x', 'x']) await append(store, tag, [newEvent('a', { tags: [tag] })]);
      const table: [AppendCondition, number][] = [
        [unless([{ tags: ['x'] }]), 1],
        [unless([{ tags: ['x'] }], 0), 1],
        [unless([{ tags: ['x'] }], 1), 3],
        [unless([{ tags: ['x'] }], 3), 4],
        [unless([{ tags: ['y'] }, { tags: ['x'] }], 1), 2],
        [unless([{ tags: ['none'] }, { types: ['a'] }], 2), 3],
      ];
      for (const [condition, position] of table) {
        await refuses(appendIf(store, 'new', newEvents(2), condition), 'append_condition_failed', {
          position,
        });
      }
      assert.equal((await readEverything(store)).length, 4);
      assert.equal((await store.getVersion({ storeId: store.storeId, streamId: 'new' })).version, -1);
    },
  },
  {
    title: 'a condition looks only at events after its position, also beyond the newest',
    needs: NEEDS,
    async body({ store }) {
      await append(store, 's', newEvents(3));
      const items = [{ types: ['e0', 'e1', 'e2'] }];
      for (const after of [3, 99, Number.MAX_SAFE_INTEGER]) {
        await appendIf(store, 's', [newEvent('other')], unless(items, after));
      }
      assert.equal((await readEverything(store)).length, 6);
    },
  },
  {
    title: 'the events of an append do not fail its own condition',
    needs: NEEDS,
    async body({ store }) {
      const items = [{ types: ['e0'] }];
      assert.equal((await appendIf(store, 's', newEvents(2), unless(items))).position, 2);
    },
  },
  {
    title: 'expectedVersion and condition are both checked',
    needs: NEEDS,
    async body({ store }) {
      await append(store, 's', [newEvent('a')]);
      const free = unless([{ types: ['none'] }]);
      const failing = unless([{ types: ['a'] }]);
      const one = (condition: AppendCondition, expectedVersion: number) =>
        appendIf(store, 's', [newEvent('b')], condition, { expectedVersion });
      await refuses(one(free, -1), 'wrong_expected_version', { actual: 0 });
      await refuses(one(failing, 0), 'append_condition_failed', { position: 1 });
      assert.equal((await one(free, 0)).version, 1);
    },
  },
  {
    title: 'event ids come before the condition: a repeated append is a duplicate',
    needs: NEEDS,
    async body({ store }) {
      const events = [newEvent('a', { tags: ['x'] })];
      const condition = unless([{ tags: ['x'] }]);
      const first = await appendIf(store, 's', events, condition);
      assert.deepEqual(await appendIf(store, 's', events, condition), { ...first, duplicate: true });
      await refuses(appendIf(store, 't', events, condition), 'append_condition_failed', { position: 1 });
    },
  },
  {
    title: 'a condition sees the events of deleted streams',
    needs: ['queries', 'deletion'],
    async body({ store }) {
      await append(store, 's', [newEvent('a')]);
      await store.deleteStream({ storeId: store.storeId, streamId: 's' });
      const call = appendIf(store, 't', [newEvent('b')], unless([{ types: ['a'] }]));
      await refuses(call, 'append_condition_failed', { position: 1 });
    },
  },
  {
    title: 'a condition with a wrong query or position is invalid_argument, and nothing is written',
    needs: NEEDS,
    async body({ store }) {
      for (const condition of [unless([]), unless([{}]), unless([{ types: ['a'] }, { tags: [] }])]) {
        await refuses(appendIf(store, 's', newEvents(1), condition), 'invalid_argument', { reason: 'query' });
      }
      for (const after of [-1, 0.5]) {
        const call = appendIf(store, 's', newEvents(1), unless([{ types: ['a'] }], after));
        await refuses(call, 'invalid_argument');
      }
      assert.deepEqual(await readEverything(store), []);
    },
  },
  {
    title: 'a condition of 1000 items is checked as a whole',
    needs: NEEDS,
    async body({ store }) {
      for (let index = 0; index < 30; index += 1) {
        const events = Array.from({ length: 20 }, (_, one) =>
          newEvent('a', { tags: [`t${index * 20 + one}`] }),
        );
        await append(store, `s${index % 4}`, events);
      }
      const items = Array.from({ length: 1_000 }, (_, index) => ({ types: ['a'], tags: [`u${index}`] }));
      const last = [...items.slice(1), { types: ['a'], tags: ['t577'] }];
      await refuses(appendIf(store, 's', newEvents(1), unless(last)), 'append_condition_failed', {
        position: 578,
      });
      await appendIf(store, 's', newEvents(1), unless(last, 578));
      assert.equal((await appendIf(store, 's', newEvents(1), unless(items))).position, 602);
    },
  },
  {
    title: 'of any number of writers whose conditions exclude each other exactly one wins',
    needs: NEEDS,
    async body({ store }) {
      for (let round = 0; round < 5; round += 1) {
        const tags = [`name:${round}`];
        // Each to a stream of its own, so that only the condition stands between them.
        const outcomes = await Promise.allSettled(
          Array.from({ length: 60 }, (_, writer) =>
            appendIf(store, `${round}-${writer}`, [newEvent('taken', { tags })], unless([{ tags }])),
          ),
        );
        const winners = outcomes.filter(({ status }) => status === 'fulfilled');
        assert.equal(winners.length, 1);
        for (const outcome of outcomes) {
          if (outcome.status === 'fulfilled') continue;
          assert.ok(GaterError.is(outcome.reason, 'append_condition_failed'));
          assert.equal(outcome.reason.details.position, round + 1);
        }
      }
    },
  },
  {
    title: 'writers that read, decide and append under a condition count without loss or double',
    needs: NEEDS,
    async body({ store }) {
      const { storeId } = store;
      const items = [{ tags: ['counter'] }];
      let refused = 0;
      const writer = async (name: string): Promise<void> => {
        for (let done = 0; done < 5; ) {
          const page = await store.queryEvents({ storeId, query: { items }, limit: 1_000 });
          const event = newEvent('counted', { tags: ['counter'], data: page.events.length + 1 });
          await appendIf(store, name, [event], unless(items, page.lastPosition)).then(
            () => (done += 1),
            (error: unknown) => {
              assert.ok(GaterError.is(error, 'append_condition_failed'));
              refused += 1;
            },
          );
        }
      };
      await Promise.all(Array.from({ length: 8 }, (_, index) => writer(`w${index}`)));
      const events = await readEverything(store);
      assert.deepEqual(
        events.map(({ data }) => data),
        Array.from({ length: 40 }, (_, index) => index + 1),
      );
      assert.ok(refused > 0);
    },
  },
  {
    title: 'a condition is never ignored: a store that does not support it answers not_supported',
    async body({ store }) {
      await append(store, 's', newEvents(1));
      const call = appendIf(store, 's', newEvents(1), unless([{ types: ['e0'] }]));
      const served = store.methods.includes('queryEvents');
      await refuses(call, served ? 'append_condition_failed' : 'not_supported');
      assert.equal((await readEverything(store)).length, 1);
    },
  },
];
