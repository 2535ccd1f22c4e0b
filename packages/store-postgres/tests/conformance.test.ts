import { storeSuite, subscriptionSuite } from '@esdb-gater/conformance';
import { createSubscriptions } from '@esdb-gater/event-store';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { postgresUnavailable, type RunningPostgres, startPostgres } from '../../../tools/postgres/index.ts';
import { openPostgresStore, type PostgresStore } from '../src/postgres-store.ts';

const reason = postgresUnavailable();
const name = reason === undefined ? 'PostgreSQL' : `PostgreSQL (${reason})`;

describe.skipIf(reason !== undefined)(name, () => {
  let postgres: RunningPostgres;
  let schemas = 0;
  const schemaOf = new WeakMap<object, string>();

  beforeAll(async () => {
    postgres = await startPostgres({ settings: ['fsync = off'] });
  });
  afterAll(() => postgres.stop());

  async function open(schema = `s${++schemas}`, tamperEvident = false): Promise<PostgresStore> {
    const store = await openPostgresStore({ storeId: 'postgres', url: postgres.url, schema, tamperEvident });
    schemaOf.set(store, schema);
    return store;
  }

  const reopen = async (store: { close(): Promise<void> }): Promise<PostgresStore> => {
    await store.close();
    return open(schemaOf.get(store));
  };

  for (const { title, run } of storeSuite({
    name: 'postgres store',
    open: () => open(),
    openTamperEvident: () => open(undefined, true),
    reopen,
  })) {
    test(title, run);
  }

  for (const { title, run } of subscriptionSuite({
    name: 'postgres store',
    async open() {
      const store = await open();
      return { store, subscriptions: createSubscriptions({ stores: [store] }) };
    },
    async reopen({ store }) {
      const opened = await open(schemaOf.get(store));
      return { store: opened, subscriptions: createSubscriptions({ stores: [opened] }) };
    },
  })) {
    test(title, run);
  }
});
