import { storeSuite } from '@esdb-gater/conformance';
import { createMemoryStore } from '@esdb-gater/event-store';
import { nextTurn } from '@esdb-gater/primitives';
import { type AppendEventsParams, type EventStore, GaterError } from '@esdb-gater/types';
import { expect, test } from 'vitest';

/** A memory store whose `appendEvents` is replaced. */
function storeWith(
  appendEvents: (store: EventStore, params: AppendEventsParams) => ReturnType<EventStore['appendEvents']>,
): EventStore {
  const store = createMemoryStore({ storeId: 'faulty' });
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (name === 'appendEvents') return (params: AppendEventsParams) => appendEvents(target, params);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}

/** The check of the conformance suite, on a store that this function opens. */
function check(open: () => EventStore): Promise<void> {
  const cases = storeSuite({ name: 'faulty', open: async () => open() });
  const found = cases.filter(({ title }) => title.includes('is linearizable'));
  expect(found).toHaveLength(1);
  return (found[0] as (typeof cases)[number]).run();
}

test('the check of linearizability passes a store that checks within the append', async () => {
  await check(() => storeWith((store, params) => store.appendEvents(params)));
});

test('it finds a store that checks conditions outside the transaction', async () => {
  const open = () =>
    storeWith(async (store, { condition, ...params }) => {
      if (condition !== undefined) {
        const { storeId } = params;
        const { failIfEventsMatch: query, after = 0 } = condition;
        const page = await store.queryEvents({ storeId, query, after });
        const position = page.events[0]?.position;
        if (position !== undefined) {
          throw new GaterError('append_condition_failed', 'it matches', { details: { position } });
        }
        await nextTurn();
      }
      return store.appendEvents(params);
    });
  await expect(check(open)).rejects.toThrow(/must refuse it/);
});

test('it finds a store that checks versions outside the transaction', async () => {
  const open = () =>
    storeWith(async (store, { expectedVersion: expected = -2, ...params }) => {
      const { storeId, streamId } = params;
      const { version: actual } = await store.getVersion({ storeId, streamId });
      if (expected !== -2 && expected !== actual) {
        const details = { streamId, expected, actual };
        throw new GaterError('wrong_expected_version', 'another version', { details });
      }
      await nextTurn();
      return store.appendEvents(params);
    });
  await expect(check(open)).rejects.toThrow();
});

test('it finds a store whose queries do not see what was acknowledged', async () => {
  const open = () => {
    const store = createMemoryStore({ storeId: 'faulty' });
    /** By query: the answer to the last call. */
    const stale = new Map<string, ReturnType<EventStore['queryEvents']>>();
    return new Proxy(store, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name);
        if (name !== 'queryEvents') return typeof member === 'function' ? member.bind(target) : member;
        return (params: Parameters<EventStore['queryEvents']>[0]) => {
          const key = JSON.stringify(params.query);
          const answer = stale.get(key);
          const fresh = target.queryEvents(params);
          stale.set(key, fresh);
          return answer ?? fresh;
        };
      },
    });
  };
  await expect(check(open)).rejects.toThrow(/must see position/);
});
