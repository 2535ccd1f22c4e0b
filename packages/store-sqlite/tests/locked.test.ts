import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore, type SqliteStore } from '@esdb-gater/store-sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';

/** Another program: takes the write lock, says so, and keeps it until its standard input ends. */
const LOCKER = `
  const { DatabaseSync } = require('node:sqlite');
  const database = new DatabaseSync(process.argv[1]);
  database.exec('BEGIN IMMEDIATE');
  process.stdout.write('locked');
  process.stdin.resume().once('end', () => database.exec('ROLLBACK'));
`;

let folder = '';
let store: SqliteStore;
let locker: ChildProcess;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'esdb-gater-locked-'));
  const file = join(folder, 'main.db');
  store = await openSqliteStore({ storeId: 'main', file, busyTimeoutMs: 500 });
  await append();
  locker = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '-e', LOCKER, file]);
  await once(locker.stdout as NodeJS.ReadableStream, 'data');
});

afterEach(async () => {
  locker.kill('SIGKILL');
  await store.close();
  await rm(folder, { recursive: true });
});

const append = () => store.appendEvents({ storeId: 'main', streamId: 's', events: [{ type: 't', data: 1 }] });

async function unlock(): Promise<void> {
  locker.stdin?.end();
  await once(locker, 'exit');
}

const LOCKED = /is locked by another program that writes to it$/;

test('while another program holds the write lock reads and probes go on, and appends say why they fail [R25] [F30]', async () => {
  let refused = 0;
  const appends = Promise.all(
    [1, 2, 3].map(() =>
      append().catch((error: unknown) => {
        expect(error).toMatchObject({ code: 'unavailable', message: expect.stringMatching(LOCKED) });
        refused += 1;
      }),
    ),
  );
  for (let index = 0; index < 20; index += 1) {
    expect((await store.readAll({ storeId: 'main' })).events).toHaveLength(1);
    expect(await store.quickHealthCheck()).toEqual({});
    // All of these were answered while the appends still waited.
    expect(refused).toBe(0);
  }
  expect(store.health()).toMatchObject({ status: 'degraded', message: expect.stringMatching(LOCKED) });
  await appends;
  expect(refused).toBe(3);
  expect(await store.quickHealthCheck()).toEqual({});
  expect(store.health().status).toBe('degraded');
  await unlock();
  expect(await store.quickHealthCheck()).toEqual({});
  expect(store.health()).toEqual({ status: 'healthy' });
  expect(await append()).toMatchObject({ version: 1 });
});

test('an append that waits for the lock is written, in order, when the other program is done [R25] [F30]', async () => {
  const first = append();
  const second = append();
  await store.readAll({ storeId: 'main' });
  const third = append();
  await unlock();
  expect((await Promise.all([first, second, third])).map(({ version }) => version)).toEqual([1, 2, 3]);
  expect(store.health()).toEqual({ status: 'healthy' });
});

test('an append whose caller stops waiting for the lock is timeout at its deadline [R25]', async () => {
  const params = { storeId: 'main', streamId: 's', events: [{ type: 't', data: 1 }] };
  await expect(store.appendEvents(params, { deadlineMs: 50 })).rejects.toMatchObject({ code: 'timeout' });
  await unlock();
});
