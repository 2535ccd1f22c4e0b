/**
 * A process that projects until it is killed, or until its work is done. Its argument is a `ProjectionTask` as JSON. It writes `ready` before it
 * opens the read model, and then a line for each commit.
 *
 * The table of the rows has no key: an event that were applied twice would be counted, not refused.
 */
import { writeSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { type EventOf, type Projection, type ProjectionProgress, projection } from '@esdb-gater/app';
import { postgresProjections } from '@esdb-gater/app/postgres';
import { sqliteProjections } from '@esdb-gater/app/sqlite';
import { createStoreWorker } from '@esdb-gater/event-store';
import { createGater } from '@esdb-gater/gater/in-process';
import { createRegistry } from '@esdb-gater/registry';
import { openPostgresStore } from '@esdb-gater/store-postgres';
import { openSqliteStore } from '@esdb-gater/store-sqlite';
import { GaterError } from '@esdb-gater/types';
import pg from 'pg';
import type { ProjectionTask } from './support/projection-task.ts';

const task = JSON.parse(process.argv[2] ?? '') as ProjectionTask;
const store =
  task.engine === 'sqlite'
    ? await openSqliteStore({ storeId: 'default', file: task.events })
    : await openPostgresStore({ storeId: 'default', url: task.events, schema: `events_${task.name}` });
const registry = createRegistry();
registry.register(createStoreWorker(store, { nodeId: `child-${process.pid}` }));
const gater = createGater<EventOf<{ added: number }>>({ registry });
const common = {
  gater,
  name: task.name,
  events: ['added'],
  batchEvents: task.batchEvents,
  onProgress({ generation, position }: ProjectionProgress) {
    writeSync(1, `${generation} ${position}\n`);
  },
} as const;
const tables = {
  applied: 'position BIGINT NOT NULL, n BIGINT NOT NULL',
  sums: 'id INTEGER PRIMARY KEY, events BIGINT NOT NULL, sum BIGINT NOT NULL',
};
const ADD = 'ON CONFLICT (id) DO UPDATE SET events = sums.events + 1, sum = sums.sum + excluded.sum';

function inSqlite(): Projection {
  const database = new DatabaseSync(task.model);
  database.exec('PRAGMA journal_mode = WAL');
  return projection({
    ...common,
    store: sqliteProjections(database, { tables }),
    handle({ position, data }, { table, run }) {
      run(`INSERT INTO ${table('applied')} VALUES (?, ?)`, position, data);
      run(`INSERT INTO ${table('sums')} AS sums VALUES (1, 1, ?) ${ADD}`, data);
    },
  });
}

function inPostgres(): Projection {
  const pool = new pg.Pool({ connectionString: task.model, max: 4 });
  pool.on('error', () => undefined);
  return projection({
    ...common,
    store: postgresProjections(pool, { tables, schema: `model_${task.name}` }),
    async handle({ position, data }, { table, query }) {
      const row = `WITH row AS (INSERT INTO ${table('applied')} VALUES ($1, $2))`;
      await query(
        `${row} INSERT INTO ${table('sums')} AS sums VALUES (1, 1, $2::BIGINT) ${ADD}`,
        position,
        data,
      );
    },
  });
}

/** Appends what is missing, while other processes do the same. Each event has its own position as data. */
async function appendMissing(): Promise<void> {
  const { appended, appendTo } = task;
  const stream = { streamId: 'added-meanwhile', storeId: 'default' };
  for (;;) {
    const { version } = await gater.getVersion(stream);
    const data = appended + version + 2;
    if (data > appendTo) return;
    await gater
      .appendEvents({ ...stream, expectedVersion: version, events: [{ type: 'added', data }] })
      .catch((error: unknown) => {
        if (!GaterError.is(error, 'wrong_expected_version')) throw error;
      });
  }
}

writeSync(1, 'ready\n');
const running = await (task.engine === 'sqlite' ? inSqlite() : inPostgres()).start();
const { live, rebuild } = running.health();
const mustBuild = (live?.generation ?? 0) < task.generation && rebuild === undefined;
await Promise.all([appendMissing(), mustBuild ? running.rebuild() : undefined]);
await running.reached(task.appendTo);
while ((running.health().live?.generation ?? 0) < task.generation) {
  await new Promise((resolve) => setImmediate(resolve));
}
await running.reached(task.appendTo);
await running.stop();
process.exit(0);
