import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { memoryProjections } from '@esdb-gater/app';
import { postgresProjections } from '@esdb-gater/app/postgres';
import { sqliteProjections } from '@esdb-gater/app/sqlite';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { postgresUnavailable, type RunningPostgres, startPostgres } from '../../../tools/postgres/index.ts';
import { projectionStoreSuite } from './support/projection-store-suite.ts';

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

describe.skipIf(postgresUnavailable() !== undefined)('with PostgreSQL', () => {
  const pools: pg.Pool[] = [];
  let server: RunningPostgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(async () => {
    await Promise.all(pools.map((pool) => pool.end()));
    await server.stop();
  });

  projectionStoreSuite('PostgreSQL', async () => {
    const pool = new pg.Pool({ connectionString: server.url });
    // A connection that the end of the server breaks is not an error of the test.
    pool.on('error', () => undefined);
    const schema = `s${pools.push(pool)}`;
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

test('two connections to one SQLite file, as of two processes, wait for each other', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'esdb-gater-model-'));
  const connections = [1, 2].map(() => new DatabaseSync(join(folder, 'model.db')));
  try {
    const [one, two] = connections.map((connection) => sqliteProjections(connection, { tables: TABLES }));
    if (one === undefined || two === undefined) throw new Error('two were made');
    await one.create('counters', 1);
    const first = await one.begin('counters', 1, 0);
    if (typeof first === 'string') throw new Error(first);
    let isOpened = false;
    const second = two.begin('counters', 1, 0).finally(() => {
      isOpened = true;
    });
    const made = two.create('counters', 2);
    first.model.run(`INSERT INTO ${first.model.table('counts')} VALUES ('a', 1)`);
    expect(isOpened).toBe(false);
    await first.commit({ position: 1, eventId: 'e1' });
    expect(await second).toBe('moved');
    expect((await made).generation).toBe(2);
  } finally {
    for (const connection of connections) connection.close();
    rmSync(folder, { recursive: true, force: true });
  }
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
