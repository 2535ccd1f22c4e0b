import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { backupStore, restoreStore } from './backup.ts';
import { openSqliteStore, type SqliteStore } from './sqlite-store.ts';

let folder: string;
const opened: SqliteStore[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'esdb-gater-backup-'));
});
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const at = (name: string): string => join(folder, name);

async function open(name = 's.db'): Promise<SqliteStore> {
  const store = await openSqliteStore({ storeId: 's', file: at(name) });
  opened.push(store);
  return store;
}

async function close(store: SqliteStore): Promise<void> {
  opened.splice(opened.indexOf(store), 1);
  await store.close();
}

const append = (store: SqliteStore, count: number, data: unknown = null) =>
  store.appendEvents({
    storeId: 's',
    streamId: 'a',
    events: Array.from({ length: count }, () => ({
      id: crypto.randomUUID(),
      type: 't',
      data: data as never,
    })),
  });

const eventsOf = async (store: SqliteStore) => (await store.readAll({ storeId: 's', limit: 1_000 })).events;

/** Files that a copy leaves behind besides what it was asked for. */
const leftovers = (): string[] => readdirSync(folder).filter((name) => name.includes('partial'));

test('a backup of a running store has all that was there, and the store goes on', async () => {
  const store = await open();
  await append(store, 500, 'x'.repeat(8_000));
  const before = await eventsOf(store);
  const phases: string[] = [];
  const backing = backupStore(at('s.db'), at('b.db'), {
    onProgress: ({ phase, doneBytes, totalBytes }) => {
      expect(doneBytes).toBeLessThanOrEqual(totalBytes);
      phases.push(phase);
    },
  });
  const meanwhile = Array.from({ length: 20 }, () => append(store, 5));
  const contents = await backing;
  await Promise.all(meanwhile);
  expect((await eventsOf(store)).length).toBe(600);
  expect(phases).toContain('copying');
  expect(phases.at(-1)).toBe('checking');
  expect(contents.storeUuid).toBe(store.storeUuid);
  expect(contents.events).toBe(contents.position);
  expect(statSync(at('b.db')).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder).filter((name) => name.startsWith('b.db'))).toEqual(['b.db']);
  expect(leftovers()).toEqual([]);
  const copy = await open('b.db');
  const copied = await eventsOf(copy);
  expect(copied.length).toBe(contents.events);
  expect(copied.slice(0, 500)).toEqual(before);
});

test('a file is not overwritten unless that is asked for', async () => {
  const store = await open();
  await append(store, 1);
  writeFileSync(at('b.db'), 'precious');
  const refusal = { code: 'invalid_argument', details: { reason: 'exists' } };
  await expect(backupStore(at('s.db'), at('b.db'))).rejects.toMatchObject(refusal);
  expect(readFileSync(at('b.db'), 'utf8')).toBe('precious');
  expect((await backupStore(at('s.db'), at('b.db'), { overwrite: true })).events).toBe(1);
});

test('a damaged database is told, and leaves no backup behind', async () => {
  const store = await open();
  await append(store, 300, 'x'.repeat(1_000));
  await close(store);
  const bytes = readFileSync(at('s.db'));
  // The second half of the file, where the pages of events are.
  bytes.fill(0xff, bytes.length / 2, bytes.length / 2 + 8_192);
  writeFileSync(at('s.db'), bytes);
  await expect(backupStore(at('s.db'), at('b.db'))).rejects.toMatchObject({ code: 'internal' });
  expect(existsSync(at('b.db'))).toBe(false);
  expect(leftovers()).toEqual([]);
});

test.each([
  ['does not exist', undefined],
  ['is of another program', 'not a database'],
])('a backup that %s is refused, and the store stays as it is', async (_, text) => {
  const store = await open();
  await append(store, 2);
  await close(store);
  if (text !== undefined) writeFileSync(at('b.db'), text.padEnd(4_096));
  await expect(restoreStore(at('b.db'), at('s.db'), { overwrite: true })).rejects.toMatchObject({
    code: expect.stringMatching(/unavailable|internal/),
  });
  expect((await eventsOf(await open())).length).toBe(2);
  expect(leftovers()).toEqual([]);
});

test('a signal ends the copying and removes what was copied', async () => {
  const store = await open();
  await append(store, 1_000, 'x'.repeat(10_000));
  const stop = new AbortController();
  const reason = new Error('enough');
  const backing = backupStore(at('s.db'), at('b.db'), {
    signal: stop.signal,
    onProgress: () => stop.abort(reason),
  });
  await expect(backing).rejects.toBe(reason);
  expect(existsSync(at('b.db'))).toBe(false);
  expect(leftovers()).toEqual([]);
});

test('a restored store is what it was at the backup, also where a log was left behind', async () => {
  const store = await open();
  await append(store, 5);
  await backupStore(at('s.db'), at('b.db'));
  const before = await eventsOf(store);
  await append(store, 5);
  // As a killed process leaves them.
  for (const suffix of ['', '-wal', '-shm']) copyFileSync(at(`s.db${suffix}`), at(`killed.db${suffix}`));
  expect(statSync(at('killed.db-wal')).size).toBeGreaterThan(0);
  const contents = await restoreStore(at('b.db'), at('killed.db'), { overwrite: true });
  expect(contents).toMatchObject({ position: 5, storeUuid: store.storeUuid });
  const restored = await open('killed.db');
  expect(await eventsOf(restored)).toEqual(before);
  expect((await append(restored, 1)).position).toBe(6);
  expect(statSync(at('killed.db')).mode & 0o777).toBe(0o600);
});

test('a damaged database is replaced', async () => {
  const store = await open();
  await append(store, 5);
  await backupStore(at('s.db'), at('b.db'));
  writeFileSync(at('broken.db'), 'broken'.padEnd(8_192));
  writeFileSync(at('broken.db-wal'), 'broken');
  await restoreStore(at('b.db'), at('broken.db'), { overwrite: true });
  expect((await eventsOf(await open('broken.db'))).length).toBe(5);
});

test('a running store is not replaced, and an existing one only when that is asked for', async () => {
  const store = await open();
  await append(store, 3);
  await backupStore(at('s.db'), at('b.db'));
  await expect(restoreStore(at('b.db'), at('s.db'), { overwrite: true })).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('is open already'),
  });
  await close(store);
  await expect(restoreStore(at('b.db'), at('s.db'))).rejects.toMatchObject({
    details: { reason: 'exists' },
  });
  expect((await restoreStore(at('b.db'), at('new.db'))).events).toBe(3);
  expect((await eventsOf(await open('new.db'))).length).toBe(3);
});
