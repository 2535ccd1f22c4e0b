import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventStore } from '@esdb-gater/types';
import { afterAll, beforeAll, test } from 'vitest';
import { createStoreModel, type StoreModel } from '../../../tools/test/store-model.ts';
import { openSqliteStore } from './sqlite-store.ts';

let folder = '';
let sqlite: EventStore;
let model: StoreModel;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'esdb-gater-model-'));
  sqlite = await openSqliteStore({ storeId: 'm', file: join(folder, 'm.db') });
  model = createStoreModel(sqlite);
});

afterAll(async () => {
  await sqlite.close();
  await rm(folder, { recursive: true });
});

test('random operations get the same answers from the SQLite store as from the memory store', () =>
  model.compareInTurn());

test('writes that share a transaction get the same answers as one after the other', () =>
  model.compareTogether());
