import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { subscriptionSuite } from '@esdb-gater/conformance';
import { createSubscriptions } from '@esdb-gater/event-store';
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

async function open(file: string) {
  const store = await openSqliteStore({ storeId: 'sqlite', file });
  fileOf.set(store, file);
  return { store, subscriptions: createSubscriptions({ stores: [store] }) };
}

for (const { title, run } of subscriptionSuite({
  name: 'sqlite store',
  open() {
    files += 1;
    return open(join(folder, `${files}.db`));
  },
  reopen: ({ store }) => open(fileOf.get(store) as string),
})) {
  test(title, run);
}
