import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { gunzipSync } from 'node:zlib';
import { openSqliteStore } from '@esdb-gater/store-sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { migrate } from '../src/migrate.ts';
import { SCHEMA_VERSION } from '../src/schema.ts';

/** A file that version 0.1.0 wrote before event ids counted per stream: 3 streams with 3 events each, one deleted. */
const OLD_FILE = new URL('./schema-1.db.gz', import.meta.url);

let folder = '';
let file = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'esdb-gater-migrate-'));
  file = join(folder, 'old.db');
  await writeFile(file, gunzipSync(await readFile(OLD_FILE)));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

const idOf = (index: number): string => `00000000-0000-7000-8000-${String(index).padStart(12, '0')}`;

function schemaOf(path: string): unknown[] {
  const database = new DatabaseSync(path, { readOnly: true });
  const index = database.prepare(`SELECT sql FROM sqlite_schema WHERE name = 'events_by_id'`).get();
  const version = database.prepare('PRAGMA user_version').get();
  database.close();
  return [version?.['user_version'], index?.['sql']];
}

test('a file of schema version 1 is migrated when it is opened, and keeps all its data [R5]', async () => {
  expect(schemaOf(file)[0]).toBe(1);
  for (const opening of ['first', 'second']) {
    const store = await openSqliteStore({ storeId: 'main', file });
    const { events } = await store.readAll({ storeId: 'main' });
    expect(events.slice(0, 9).map(({ id, streamId, version }) => [id, streamId, version])).toEqual(
      Array.from({ length: 9 }, (_, index) => [
        idOf(index + 1),
        ['a', 'b', '😀'][Math.floor(index / 3)],
        index % 3,
      ]),
    );
    const deleted = store.getEvents({ storeId: 'main', streamId: 'b' });
    await expect(deleted).rejects.toMatchObject({ code: 'stream_deleted' });
    expect(await store.readSnapshot({ storeId: 'main', sourceUuid: 's', streamUuid: 'u' })).toMatchObject({
      version: 2,
      record: [1],
    });
    expect((await store.feedCheckpoint.load()).position).toBe(4);
    // The id of a's first event is free in another stream, and still known in its own.
    const event = { id: idOf(1), type: 't', data: { k: 1 }, tags: ['x'] };
    const params = { storeId: 'main', events: [event] };
    expect(await store.appendEvents({ ...params, streamId: 'a' })).toMatchObject({
      version: 0,
      duplicate: true,
    });
    expect((await store.appendEvents({ ...params, streamId: 'new' })).duplicate).toBe(opening === 'second');
    await store.close();
  }
  expect(schemaOf(file)).toEqual([SCHEMA_VERSION, 'CREATE UNIQUE INDEX events_by_id ON events (id, stream)']);
});

test('a migration that fails halfway leaves the old version, which is migrated at the next opening [R5]', async () => {
  class Failing extends DatabaseSync {
    override exec(sql: string): void {
      if (sql.startsWith('CREATE')) throw new Error('the disk is gone');
      super.exec(sql);
    }
  }
  const database = new Failing(file);
  expect(() => migrate(database, file)).toThrow('the disk is gone');
  database.close();
  expect(schemaOf(file)).toEqual([1, 'CREATE UNIQUE INDEX events_by_id ON events (id)']);
  await (await openSqliteStore({ storeId: 'main', file })).close();
  expect(schemaOf(file)[0]).toBe(SCHEMA_VERSION);
});

test('a file of schema version 1 whose tables were changed is refused and not migrated [R5]', async () => {
  const database = new DatabaseSync(file);
  database.exec('DROP INDEX events_by_type');
  database.close();
  await expect(openSqliteStore({ storeId: 'main', file })).rejects.toThrow(/events_by_type was changed/);
  expect(schemaOf(file)[0]).toBe(1);
});

test('a file of schema version 3 gets the tables of persistent subscriptions and hashes', async () => {
  await (await openSqliteStore({ storeId: 'main', file })).close();
  const database = new DatabaseSync(file);
  database.exec(
    'DROP TABLE subscriptions; DROP TABLE parked_events; DROP TABLE event_hashes; PRAGMA user_version = 3',
  );
  database.close();
  const store = await openSqliteStore({ storeId: 'main', file });
  expect(await store.subscriptionState?.list()).toEqual([]);
  expect((await store.readAll({ storeId: 'main' })).events).toHaveLength(9);
  await store.close();
  expect(schemaOf(file)[0]).toBe(SCHEMA_VERSION);
});
