import { closeSync, openSync, statSync, writeSync } from 'node:fs';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore, type SqliteStore } from '@esdb-gater/store-sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';

let folder = '';
let file = '';
let store: SqliteStore;

const open = () => openSqliteStore({ storeId: 'main', file });

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'esdb-gater-damaged-'));
  file = join(folder, 'main.db');
  store = await open();
  for (let index = 0; index < 20; index += 1) await append();
});

afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true });
});

const append = (text = 'x'.repeat(20_000)) =>
  store.appendEvents({ storeId: 'main', streamId: 's', events: [{ type: 't', data: text }] });

const refusal = (message: RegExp) => ({ code: 'internal', message: expect.stringMatching(message) });

test.each(['', '-wal', '-shm', '.lock'])(
  'when main.db%s is deleted under a running store, appends stop at once and health says so [R20] [F32]',
  async (suffix) => {
    await rm(`${file}${suffix}`);
    await expect(append()).rejects.toMatchObject(
      refusal(/is damaged: .*main\.db.* was deleted while it was open$/),
    );
    expect(store.health()).toMatchObject({
      status: 'unhealthy',
      message: expect.stringContaining('was deleted'),
    });
    await expect(store.deleteStream({ storeId: 'main', streamId: 's' })).rejects.toMatchObject({
      code: 'internal',
    });
    expect((await store.readAll({ storeId: 'main', limit: 5 })).events).toHaveLength(5);
    expect(await store.quickHealthCheck()).toEqual({});
  },
);

test('health notices a replaced file without an append, and it stays so until the store is reopened [R20] [F32]', async () => {
  await rename(file, `${file}.away`);
  await writeFile(file, '');
  expect(store.health()).toMatchObject({
    status: 'unhealthy',
    message: expect.stringContaining('was replaced'),
  });
  await rm(file);
  await rename(`${file}.away`, file);
  await expect(append()).rejects.toMatchObject(refusal(/was replaced/));
  await store.close();
  store = await open();
  expect(store.health()).toEqual({ status: 'healthy' });
  expect(await append()).toMatchObject({ version: 20 });
});

test('pages that are damaged under a running store are told in health once they are read, and appends stop [R20] [F32]', async () => {
  // Closed and reopened, so that all data is in the file and no page in a cache.
  await store.close();
  store = await open();
  const { size } = statSync(file);
  const descriptor = openSync(file, 'r+');
  // All but the pages at the beginning, which hold the schema.
  writeSync(descriptor, Buffer.alloc(size / 2, 0x5a), 0, size / 2, size / 2);
  closeSync(descriptor);
  await expect(store.readAll({ storeId: 'main' })).rejects.toMatchObject(refusal(/is damaged/));
  expect(store.health()).toMatchObject({
    status: 'unhealthy',
    message: expect.stringContaining('is damaged'),
  });
  await expect(append('small')).rejects.toMatchObject(refusal(/is damaged/));
});
