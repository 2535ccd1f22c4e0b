import { afterAll, beforeAll, describe, test } from 'vitest';
import { postgresUnavailable, type RunningPostgres, startPostgres } from '../../../tools/postgres/index.ts';
import { createStoreModel, type StoreModel } from '../../../tools/test/store-model.ts';
import { openPostgresStore, type PostgresStore } from '../src/postgres-store.ts';

const reason = postgresUnavailable();
const name = reason === undefined ? 'PostgreSQL' : `PostgreSQL (${reason})`;

describe.skipIf(reason !== undefined)(name, () => {
  let postgres: RunningPostgres;
  let store: PostgresStore;
  let model: StoreModel;

  beforeAll(async () => {
    postgres = await startPostgres({ settings: ['fsync = off'] });
    store = await openPostgresStore({ storeId: 'm', url: postgres.url });
    model = createStoreModel(store);
  });
  afterAll(async () => {
    await store.close();
    await postgres.stop();
  });

  test('random operations get the same answers from the PostgreSQL store as from the memory store', () =>
    model.compareInTurn());

  test('writes that share a transaction get the same answers as one after the other', () =>
    model.compareTogether());
});
