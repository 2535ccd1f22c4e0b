import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { storeSuite } from '@esdb-gater/conformance';
import { afterAll, beforeAll, test } from 'vitest';
import { openSqliteStore } from './sqlite-store.ts';

let folder = '';
let files = 0;
const fileOf = new WeakMap<object, string>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'esdb-gater-sqlite-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function open(file: string, tamperEvident = false): ReturnType<typeof openSqliteStore> {
  const store = await openSqliteStore({ storeId: 'sqlite', file, tamperEvident });
  fileOf.set(store, file);
  return store;
}

for (const { title, run } of storeSuite({
  name: 'sqlite store',
  open() {
    files += 1;
    return open(join(folder, `${files}.db`));
  },
  openTamperEvident() {
    files += 1;
    return open(join(folder, `${files}.db`), true);
  },
  async reopen(store) {
    await store.close();
    return open(fileOf.get(store) as string);
  },
})) {
  test(title, run);
}
