import assert from 'node:assert/strict';
import type { JsonValue } from '@esdb-gater/types';
import { append, type CaseSpec, newEvent, readEverything, refuses } from './harness.ts';

/** Values that a careless encoding changes. Parsed, so that `__proto__` is a member and no prototype. */
const VALUES = JSON.parse(
  String.raw`[null, true, false, 0, -1, 1.5, 1e21, 5e-324, 1.7976931348623157e308, 9007199254740993,
  "", "a", "\u0000", "\ud800", "é中😀", "\"\\\n\u2028", [], [[]], [null], {}, {"": 1}, {"a": {"b": []}},
  {"__proto__": {"polluted": true}}, {"constructor": 1, "toString": 2}, {"1": "one", "0": "zero"},
  "'; DROP TABLE events; --", "null", "{}"]`,
) as JsonValue[];

const NAMES = [
  '__proto__',
  'constructor',
  'toString',
  '😀',
  'a b',
  'a.b',
  '%00',
  "'",
  '"',
  'x'.repeat(255),
  '…',
];

export const values: readonly CaseSpec[] = [
  {
    title: 'any JSON value comes back as it was, in data and in metadata',
    async body({ store }) {
      const events = VALUES.map((value) => newEvent('v', { data: value, metadata: { value } }));
      await append(store, 's', events);
      const read = await readEverything(store);
      assert.deepEqual(
        read.map((event) => JSON.stringify(event.data)),
        VALUES.map((value) => JSON.stringify(value)),
      );
      assert.deepEqual(
        read.map((event) => JSON.stringify(event.metadata['value'])),
        VALUES.map((value) => JSON.stringify(value)),
      );
      assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
    },
  },
  {
    title: 'odd names of streams, types and tags are names like any other',
    async body({ store }) {
      const { storeId } = store;
      for (const name of NAMES)
        await append(store, name, [newEvent(name, { tags: [name, name, 'same'] })], -1);
      for (const name of NAMES) {
        const page = await store.getEvents({ storeId, streamId: name });
        assert.deepEqual(
          page.events.map((event) => [event.streamId, event.type, event.tags]),
          [[name, name, [name, name, 'same']]],
        );
        assert.deepEqual(await store.getVersion({ storeId, streamId: name }), { version: 0 });
      }
      assert.equal((await store.getStreams({ storeId })).streams.length, NAMES.length);
    },
  },
  {
    title: 'invalid names are invalid_argument',
    async body({ store }) {
      for (const name of ['', '.', '..', '$all', 'a\n', '\u007f', '\ud800', 'x'.repeat(256)]) {
        await refuses(append(store, name, [newEvent()]), 'invalid_argument');
      }
      for (const name of ['', 'a\u0000', '\udfff', 'x'.repeat(256)]) {
        await refuses(append(store, 's', [newEvent(name)]), 'invalid_argument');
        await refuses(append(store, 's', [newEvent('t', { tags: [name] })]), 'invalid_argument');
      }
      await refuses(append(store, 's', [newEvent('t', { id: 'no uuid' })]), 'invalid_argument');
    },
  },
  {
    title: 'an event of nearly a MiB is kept, one over it is payload_too_large',
    async body({ store }) {
      const fits = 'x'.repeat(1_048_000);
      await append(store, 's', [newEvent('t', { data: fits })]);
      assert.equal((await readEverything(store))[0]?.data, fits);
      const over = newEvent('t', { data: 'ä'.repeat(600_000) });
      await refuses(append(store, 's', [over]), 'payload_too_large');
    },
  },
  {
    title: 'what JSON cannot carry is invalid_argument, never another value',
    needs: ['inProcess'],
    async body({ store }) {
      for (const data of [Number.NaN, { a: [Number.POSITIVE_INFINITY] }, undefined]) {
        await refuses(append(store, 's', [newEvent('t', { data: data as JsonValue })]), 'invalid_argument');
      }
    },
  },
  {
    title: 'deeply nested data does no harm',
    needs: ['inProcess'],
    async body({ store }) {
      const data = JSON.parse(`${'['.repeat(2_000)}${']'.repeat(2_000)}`) as JsonValue;
      await append(store, 's', [newEvent('deep', { data })]);
      assert.equal(JSON.stringify((await readEverything(store))[0]?.data).length, 4_000);
    },
  },
  {
    title: 'what a reader does to an event does not change the store',
    async body({ store }) {
      await append(store, 's', [newEvent('t', { data: { a: 1 } })]);
      const [first] = await readEverything(store);
      (first?.data as Record<string, unknown>)['a'] = 2;
      assert.deepEqual((await readEverything(store))[0]?.data, { a: 1 });
    },
  },
];
