import { DatabaseSync } from 'node:sqlite';
import { memoryProjections } from '@esdb-gater/app';
import { postgresProjections } from '@esdb-gater/app/postgres';
import { sqliteProjections } from '@esdb-gater/app/sqlite';
import { Pool } from 'pg';
import { afterAll, describe, expect, test } from 'vitest';
import { projectionStoreSuite } from './support/projection-store-suite.ts';
import { postgresBinaries, startPostgres } from './support/start-postgres.ts';

const TABLES = { counts: { columns: 'key TEXT PRIMARY KEY, value INTEGER', indexes: [['value']] } };
const UPSERT = 'ON CONFLICT (key) DO UPDATE SET value = excluded.value';

projectionStoreSuite('memory', async () => {
  const store = memoryProjections<{ counts: number }>();
  return {
    store,
    set: (model, key, value) => model.table('counts').set(key, value),
    read: async () => [...store.table('counts')].sort(),
  };
});

projectionStoreSuite('SQLite', async () => {
  const database = new DatabaseSync(':memory:');
  return {
    store: sqliteProjections(database, { tables: TABLES }),
    set: ({ table, run }, key, value) =>
      run(`INSERT INTO ${table('counts')} VALUES (?, ?) ${UPSERT}`, key, value),
    read: async () => database.prepare('SELECT * FROM counts ORDER BY key').all().map(pairOf),
  };
});

describe.skipIf(postgresBinaries() === undefined)('with PostgreSQL', () => {
  const server = startPostgres();
  let schemas = 0;
  afterAll(async () => (await server).stop());

  projectionStoreSuite('PostgreSQL', async () => {
    const pool = new Pool({ connectionString: (await server).url });
    (await server).onStop(() => pool.end());
    schemas += 1;
    const schema = `s${schemas}`;
    await pool.query(`CREATE SCHEMA ${schema}`);
    return {
      store: postgresProjections(pool, { tables: TABLES, schema }),
      set: async ({ table, query }, key, value) => {
        await query(`INSERT INTO ${table('counts')} VALUES ($1, $2) ${UPSERT}`, key, value);
      },
      read: async () => (await pool.query(`SELECT * FROM ${schema}.counts ORDER BY key`)).rows.map(pairOf),
    };
  });
});

function pairOf(row: unknown): readonly [string, number] {
  const { key, value } = row as { readonly key: string; readonly value: number };
  return [key, value];
}

test.each(['', 'a b', 'a"', '1a', 'x'.repeat(41)])('the table name %j is refused', (name) => {
  const database = new DatabaseSync(':memory:');
  expect(() => sqliteProjections(database, { tables: { [name]: 'id TEXT' } })).toThrow(
    /`tables` must be identifiers/,
  );
});
