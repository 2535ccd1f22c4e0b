import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openSqliteStore, type SqliteStore } from './sqlite-store.ts';

const storeId = 'main';
const folder = await mkdtemp(join(tmpdir(), 'esdb-gater-newest-'));
afterAll(() => rm(folder, { recursive: true }));

/** Appends events with everything that an event may have, and one append that is refused. */
async function appendSome(store: SqliteStore, streamId: string): Promise<void> {
  const append = (type: string, rest: object) =>
    store.appendEvents({ storeId, streamId, events: [{ type, ...rest }] as never });
  await Promise.all([
    append('said "a\\b"', {
      data: { text: 'ü\ud83d\ude00\u2028' },
      metadata: { by: 'me' },
      tags: ['x', 'x'],
    }),
    append('carried', { dataBase64: 'AAEC', contentType: 'image/png' }),
    store
      .appendEvents({ storeId, streamId, expectedVersion: 99, events: [{ type: 'refused', data: null }] })
      .catch(() => undefined),
    append('nothing', { data: null }),
  ]);
}

test('the newest events are those that reading the file returns, member by member', async () => {
  const store = await openSqliteStore({ storeId, file: join(folder, 'same.db') });
  const told: number[] = [];
  store.onCommitted((position) => told.push(position));
  await appendSome(store, 'a-"1"');
  await store.deleteStream({ storeId, streamId: 'a-"1"' });
  await appendSome(store, 'ü');
  expect(told.at(-1)).toBe(6);
  const page = store.newestEvents(0, 1_000);
  expect(page).toEqual(await store.readAll({ storeId }));
  expect(page?.events).toHaveLength(6);
  await store.close();
});

test('events that nobody followed, and those of an earlier run, are left to the file', async () => {
  const file = join(folder, 'later.db');
  const first = await openSqliteStore({ storeId, file });
  await appendSome(first, 'a');
  expect(first.newestEvents(0, 10)).toBeUndefined();
  await first.close();
  const store = await openSqliteStore({ storeId, file });
  const stop = store.onCommitted(() => undefined);
  await appendSome(store, 'a');
  expect(store.newestEvents(2, 10)).toBeUndefined();
  expect(store.newestEvents(3, 10)).toEqual(await store.readAll({ storeId, after: 3 }));
  stop();
  await appendSome(store, 'a');
  expect([0, 3, 6, 8].map((after) => store.newestEvents(after, 10))).toEqual(new Array(4).fill(undefined));
  await store.close();
});
