import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openSqliteStore } from '@esdb-gater/store-sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type AppendChild, appendCommand, startChild } from './child.ts';

let folder = '';
let file = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'esdb-gater-lock-'));
  file = join(folder, 'main.db');
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

const options = () => ({ storeId: 'main', file });

test('a second opener in this process stops with one line that names the file', async () => {
  const store = await openSqliteStore(options());
  const refusal = {
    code: 'unavailable',
    message: expect.stringMatching(/^the file .*main\.db is open already; .*$/),
  };
  await expect(openSqliteStore(options())).rejects.toMatchObject(refusal);
  await symlink(file, join(folder, 'link.db'));
  const byLink = openSqliteStore({ storeId: 'main', file: join(folder, 'link.db') });
  await expect(byLink).rejects.toMatchObject({ code: 'unavailable' });
  expect(await store.quickHealthCheck()).toEqual({});
  await store.close();
  await (await openSqliteStore(options())).close();
});

test('a file that another process has open is refused, and free when that process was killed', async () => {
  const acknowledged = Promise.withResolvers<void>();
  const child: AppendChild = startChild(appendCommand(file, '1', '1000000'), () => acknowledged.resolve());
  await acknowledged.promise;
  await expect(openSqliteStore(options())).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('is open already'),
  });
  child.process.kill('SIGKILL');
  await child.ended;
  const store = await openSqliteStore(options());
  expect((await store.readAll({ storeId: 'main' })).events.length).toBeGreaterThan(0);
  await store.close();
});

test('an outside tool can read the store while it is open', async () => {
  const store = await openSqliteStore(options());
  const events = [{ type: 'user_created', data: { name: 'Ada' }, tags: ['x'] }];
  await store.appendEvents({ storeId: 'main', streamId: 'user-1', events });
  const [event] = (await store.readAll({ storeId: 'main' })).events;
  const tool = new DatabaseSync(file, { readOnly: true });
  const row = tool
    .prepare(`SELECT position, stream_id, type, data ->> 'name' AS name, timestamp FROM recorded_events`)
    .get();
  expect({ ...row }).toEqual({
    position: 1,
    stream_id: 'user-1',
    type: 'user_created',
    name: 'Ada',
    timestamp: event?.timestamp,
  });
  tool.close();
  await store.close();
});

test('a database of another program is refused and not touched', async () => {
  const other = new DatabaseSync(file);
  other.exec('CREATE TABLE mine (a); INSERT INTO mine VALUES (1)');
  other.close();
  await expect(openSqliteStore(options())).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('another program'),
  });
  const again = new DatabaseSync(file);
  expect(again.prepare('PRAGMA journal_mode').get()?.['journal_mode']).toBe('delete');
  expect(again.prepare('SELECT name FROM sqlite_schema').all()).toHaveLength(1);
  again.close();
});

test('a newer schema and a changed one are refused', async () => {
  await (await openSqliteStore(options())).close();
  const change = (sql: string): void => {
    const database = new DatabaseSync(file);
    database.exec(sql);
    database.close();
  };
  change('PRAGMA user_version = 99');
  await expect(openSqliteStore(options())).rejects.toThrow(/schema version 99/);
  change('PRAGMA user_version = 2; DROP INDEX events_by_id');
  await expect(openSqliteStore(options())).rejects.toThrow(/events_by_id/);
});

test('a file that is not a database, a folder, and a missing folder are refused with the name of the file', async () => {
  await writeFile(file, 'this is a text and no database at all, but long enough to be one'.repeat(100));
  await expect(openSqliteStore(options())).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining(file),
  });
  await mkdir(join(folder, 'd.db'));
  for (const wrong of [join(folder, 'd.db'), join(folder, 'none', 'x.db')]) {
    await expect(openSqliteStore({ storeId: 'main', file: wrong })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining(wrong),
    });
  }
});

test('wrong options are invalid_argument and name the option', async () => {
  const wrong = [
    { storeId: 'a b' },
    { file: '' },
    { file: ':memory:' },
    { maxWaitingCalls: 0 },
    { flush: 'never' },
  ];
  for (const one of wrong) {
    const call = openSqliteStore({ ...options(), ...(one as object) });
    await expect(call).rejects.toMatchObject({ code: 'invalid_argument', reason: Object.keys(one)[0] });
  }
});
