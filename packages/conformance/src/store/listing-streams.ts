import assert from 'node:assert/strict';
import { append, type CaseSpec, newEvent, refuses } from './harness.ts';

/** In the order of UTF-8 bytes, which differs from that of UTF-16 units for the last three. */
const NAMES = [
  'A-1',
  'Z',
  '__proto__',
  'a',
  'a-1',
  'a-10',
  'a-2',
  'b',
  'constructor',
  'é',
  '中',
  '～',
  '😀',
  '😀x',
];

export const listingStreams: readonly CaseSpec[] = [
  {
    title: 'streams are listed in the order of UTF-8 bytes',
    async body({ store }) {
      for (const name of NAMES.toReversed()) await append(store, name, [newEvent()]);
      assert.deepEqual(await store.getStreams({ storeId: store.storeId }), { streams: NAMES });
    },
  },
  {
    title: 'pages of streams follow each other by next',
    async body({ store }) {
      for (const name of NAMES) await append(store, name, [newEvent()]);
      const seen: string[] = [];
      let after: string | undefined;
      do {
        const page = await store.getStreams({
          storeId: store.storeId,
          limit: 3,
          ...(after === undefined ? {} : { after }),
        });
        assert.ok(page.streams.length <= 3);
        seen.push(...page.streams);
        after = page.next;
      } while (after !== undefined);
      assert.deepEqual(seen, NAMES);
    },
  },
  {
    title: 'a full last page has no next',
    async body({ store }) {
      for (const name of ['a', 'b']) await append(store, name, [newEvent()]);
      assert.deepEqual(await store.getStreams({ storeId: store.storeId, limit: 2 }), { streams: ['a', 'b'] });
    },
  },
  {
    title: 'a prefix and a beginning narrow the list together',
    async body({ store }) {
      for (const name of NAMES) await append(store, name, [newEvent()]);
      const { storeId } = store;
      const list = async (params: object): Promise<unknown> =>
        (await store.getStreams({ storeId, ...params })).streams;
      assert.deepEqual(await list({ prefix: 'a-' }), ['a-1', 'a-10', 'a-2']);
      assert.deepEqual(await list({ prefix: 'a', after: 'a-1' }), ['a-10', 'a-2']);
      assert.deepEqual(await list({ prefix: 'a', after: 'a-15' }), ['a-2']);
      assert.deepEqual(await list({ prefix: 'b', after: 'a' }), ['b']);
      assert.deepEqual(await list({ prefix: 'a', after: 'b' }), []);
      assert.deepEqual(await list({ prefix: '😀' }), ['😀', '😀x']);
      assert.deepEqual(await list({ prefix: '%' }), []);
      assert.deepEqual(await list({ prefix: '_' }), ['__proto__']);
    },
  },
  {
    title: 'a limit out of bounds is invalid_argument',
    async body({ store }) {
      for (const limit of [0, 1_001]) {
        await refuses(store.getStreams({ storeId: store.storeId, limit }), 'invalid_argument');
      }
    },
  },
];
