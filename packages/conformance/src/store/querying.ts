import assert from 'node:assert/strict';
import type { EventQuery, EventQueryItem, EventStore, RecordedEvent, StorePage } from '@esdb-gater/types';
import { append, type CaseSpec, newEvent, readEverything, refuses } from './harness.ts';

const NEEDS = ['queries'] as const;

function query(store: EventStore, items: readonly EventQueryItem[], rest: object = {}): Promise<StorePage> {
  return store.queryEvents({ storeId: store.storeId, query: { items }, ...rest });
}

function positions(events: readonly RecordedEvent[]): number[] {
  return events.map(({ position }) => position);
}

/** Appends one event for each, to three streams in turn: a type and its tags. */
async function fill(store: EventStore, events: readonly (readonly [string, ...string[]])[]): Promise<void> {
  for (const [index, [type, ...tags]] of events.entries()) {
    await append(store, `s${index % 3}`, [newEvent(type, { tags })]);
  }
}

/** What a reader would find who compares every event with the query. */
function expected(events: readonly RecordedEvent[], { items }: EventQuery): number[] {
  const matches = ({ types = [], tags = [] }: EventQueryItem, event: RecordedEvent): boolean =>
    (types.length === 0 || types.includes(event.type)) && tags.every((tag) => event.tags.includes(tag));
  return positions(events.filter((event) => items.some((item) => matches(item, event))));
}

export const querying: readonly CaseSpec[] = [
  {
    title: 'items of a query are OR-ed, types within one OR-ed, tags within one AND-ed',
    needs: NEEDS,
    async body({ store }) {
      await fill(store, [['a', 'x'], ['b', 'x', 'y'], ['c', 'y'], ['a', 'y', 'x'], ['b'], ['d', 'z']]);
      const table: [EventQueryItem[], number[]][] = [
        [[{ types: ['a'] }], [1, 4]],
        [[{ types: ['a', 'b'] }], [1, 2, 4, 5]],
        [[{ tags: ['x'] }], [1, 2, 4]],
        [[{ tags: ['x', 'y'] }], [2, 4]],
        [[{ types: ['a', 'c'], tags: ['y'] }], [3, 4]],
        [
          [{ types: ['a'], tags: ['x', 'y'] }, { types: ['d'] }],
          [4, 6],
        ],
        [
          [{ types: ['a'] }, { tags: ['x'] }, { types: ['a'], tags: ['x'] }],
          [1, 2, 4],
        ],
        [[{ types: [], tags: ['z'] }], [6]],
        [[{ types: ['c'], tags: [] }], [3]],
        [[{ types: ['nobody'] }, { tags: ['nothing'] }], []],
        [[{ tags: ['x', 'z'] }], []],
      ];
      for (const [items, found] of table) {
        const page = await query(store, items);
        assert.deepEqual(positions(page.events), found, JSON.stringify(items));
        assert.equal(page.lastPosition, 6);
        assert.equal(Object.hasOwn(page, 'next'), false);
      }
    },
  },
  {
    title: 'a query of an empty store gives no events up to position 0',
    needs: NEEDS,
    async body({ store }) {
      assert.deepEqual(await query(store, [{ types: ['a'] }]), { events: [], lastPosition: 0 });
    },
  },
  {
    title: 'readAll with a query answers as queryEvents does, with whole events',
    needs: NEEDS,
    async body({ store }) {
      await fill(store, [['a', 'x'], ['b', 'x'], ['a']]);
      const { storeId } = store;
      const params = { storeId, query: { items: [{ types: ['a'] }] }, limit: 1 };
      const page = await store.readAll(params);
      assert.deepEqual(page, await store.queryEvents(params));
      assert.deepEqual(page.events, (await readEverything(store)).slice(0, 1));
    },
  },
  {
    title: 'pages of a query: lastPosition is the last event’s when there is next, else the store’s newest',
    needs: NEEDS,
    async body({ store }) {
      await fill(store, [['a'], ['b'], ['a'], ['b'], ['a'], ['b']]);
      const items = [{ types: ['a'] }];
      const first = await query(store, items, { limit: 2 });
      assert.deepEqual([positions(first.events), first.lastPosition, first.next], [[1, 3], 3, 3]);
      const rest = await query(store, items, { limit: 2, after: 3 });
      assert.deepEqual([positions(rest.events), rest.lastPosition, rest.next], [[5], 6, undefined]);
      const exact = await query(store, items, { limit: 3 });
      assert.deepEqual([positions(exact.events), exact.lastPosition, exact.next], [[1, 3, 5], 6, undefined]);
    },
  },
  {
    title: 'a query after the newest position, or beyond it, gives no events and the newest position',
    needs: NEEDS,
    async body({ store }) {
      await fill(store, [['a'], ['a']]);
      for (const after of [2, 99, Number.MAX_SAFE_INTEGER]) {
        assert.deepEqual(await query(store, [{ types: ['a'] }], { after }), { events: [], lastPosition: 2 });
      }
    },
  },
  {
    title: 'a page of a query ends early at 8 MiB and has next',
    needs: NEEDS,
    async body({ store }) {
      const data = 'x'.repeat(900_000);
      for (let index = 0; index < 12; index += 1) {
        await append(store, `s${index}`, [newEvent(index % 6 === 5 ? 'b' : 'a', { data })]);
      }
      const items = [{ types: ['a'] }];
      const page = await query(store, items, { limit: 1_000 });
      assert.ok(page.events.length < 10);
      assert.equal(page.next, page.events.at(-1)?.position);
      const rest = await query(store, items, { after: page.next });
      assert.equal(page.events.length + rest.events.length, 10);
    },
  },
  {
    title: 'queries agree with a reader that compares every event',
    needs: NEEDS,
    async body({ store }) {
      const names = ['a', 'b', '__proto__'];
      const events = Array.from({ length: 240 }, (_, index) =>
        newEvent(names[(index * 7) % 3] as string, {
          tags: ['t0', 't1', 't2', 't3'].filter((_tag, bit) => ((index * 13) >> bit) % 2 === 1),
        }),
      );
      for (let index = 0; index < events.length; index += 8) {
        await append(store, `s${index % 5}`, events.slice(index, index + 8));
      }
      const all = await readEverything(store);
      for (let seed = 0; seed < 60; seed += 1) {
        const items = Array.from({ length: 1 + (seed % 3) }, (_, item) => {
          const bits = seed * 11 + item * 5;
          const types = names.filter((_name, bit) => (bits >> bit) % 2 === 1);
          const tags = ['t0', 't1', 't2', 'none'].filter((_tag, bit) => (bits >> (bit + 3)) % 2 === 1);
          return types.length + tags.length === 0 ? { types: ['a'] } : { types, tags };
        });
        const found: number[] = [];
        for (let after: number | undefined = 0; after !== undefined; ) {
          const page: StorePage = await query(store, items, { after, limit: 7 + (seed % 30) });
          found.push(...positions(page.events));
          after = page.next;
        }
        assert.deepEqual(found, expected(all, { items }), JSON.stringify(items));
      }
    },
  },
  {
    title: 'types and tags are compared as they are: case, Unicode and names of object members',
    needs: NEEDS,
    async body({ store }) {
      const names = [
        'user:1',
        'User:1',
        'user:10',
        '\u00fc',
        'u\u0308',
        '😀',
        '__proto__',
        'constructor',
        "'; --",
        '%',
      ];
      await fill(
        store,
        names.map((name) => [name, name]),
      );
      for (const [index, name] of names.entries()) {
        assert.deepEqual(positions((await query(store, [{ tags: [name] }])).events), [index + 1], name);
        assert.deepEqual(positions((await query(store, [{ types: [name] }])).events), [index + 1], name);
      }
    },
  },
  {
    title: 'an event whose tags repeat, and a query whose names repeat, match once',
    needs: NEEDS,
    async body({ store }) {
      await fill(store, [['a', 'x', 'x', 'y'], ['b']]);
      const page = await query(store, [{ types: ['a', 'a'], tags: ['x', 'x'] }, { tags: ['x'] }]);
      assert.deepEqual(positions(page.events), [1]);
      assert.deepEqual(page.events[0]?.tags, ['x', 'x', 'y']);
    },
  },
  {
    title: 'a query sees the events of deleted streams',
    needs: ['queries', 'deletion'],
    async body({ store }) {
      await append(store, 's', [newEvent('a', { tags: ['x'] })]);
      await store.deleteStream({ storeId: store.storeId, streamId: 's' });
      assert.deepEqual(positions((await query(store, [{ tags: ['x'] }])).events), [1]);
    },
  },
  {
    title: 'a query may have 1000 items and 10000 types and tags in all, and no more',
    needs: NEEDS,
    async body({ store }) {
      await fill(store, [['a', 'x'], ['b', 'y'], ['c']]);
      const most = Array.from({ length: 1_000 }, (_, index) => ({
        types: ['a', 'c'],
        tags: Array.from({ length: 8 }, (_none, tag) => (index === 999 ? 'x' : `${index}-${tag}`)),
      }));
      assert.deepEqual(positions((await query(store, most)).events), [1]);
      await refuses(query(store, [...most, { types: ['a'] }]), 'invalid_argument', { reason: 'query' });
      const names = [{ tags: ['x'], types: Array.from({ length: 10_000 }, (_, index) => `t${index}`) }];
      await refuses(query(store, names), 'invalid_argument', { reason: 'query' });
    },
  },
  {
    title: 'a query without items, and an item without types and tags, is invalid_argument',
    needs: [...NEEDS, 'inProcess'],
    async body({ store }) {
      const { storeId } = store;
      for (const items of [[], [{}], [{ types: [] }], [{ types: [], tags: [] }], [{ types: ['a'] }, {}]]) {
        await refuses(query(store, items), 'invalid_argument', { reason: 'query' });
        await refuses(store.readAll({ storeId, query: { items } }), 'invalid_argument', { reason: 'query' });
      }
      const wrong = { items: [{ tags: ['a\n'] }] };
      await refuses(store.readAll({ storeId, query: wrong }), 'invalid_argument', { reason: 'query' });
    },
  },
  {
    title: 'a query is never ignored: a store that does not serve it says not_supported',
    async body({ store }) {
      await fill(store, [['a'], ['b']]);
      const call = store.readAll({ storeId: store.storeId, query: { items: [{ types: ['b'] }] } });
      if (store.methods.includes('queryEvents')) assert.deepEqual(positions((await call).events), [2]);
      else await refuses(call, 'not_supported');
    },
  },
];
