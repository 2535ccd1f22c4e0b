/**
 * A process that projects until it is killed, or until every event is applied. Arguments: file of the events, file of the read
 * model, position of the last event.
 *
 * Each event is one row: an event that were applied twice would break the primary key, and the sums.
 */
import { writeSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { projection } from '@esdb-gater/app';
import { sqliteProjections } from '@esdb-gater/app/sqlite';
import { createGater } from '@esdb-gater/client';
import { createStoreWorker } from '@esdb-gater/event-store';
import { createRegistry } from '@esdb-gater/registry';
import { openSqliteStore } from '@esdb-gater/store-sqlite';

const [, , events = '', model = '', last = '0'] = process.argv;
const store = await openSqliteStore({ storeId: 'default', file: events });
const registry = createRegistry();
registry.register(createStoreWorker(store, { nodeId: 'child' }));
const gater = createGater({ registry });
const database = new DatabaseSync(model);
database.exec('PRAGMA journal_mode = WAL');
const running = await projection({
  gater,
  name: 'sums',
  events: ['added'],
  store: sqliteProjections(database, {
    tables: {
      applied: 'position INTEGER PRIMARY KEY, n INTEGER NOT NULL',
      sums: 'id INTEGER PRIMARY KEY, events INTEGER NOT NULL, sum INTEGER NOT NULL',
    },
  }),
  handle({ position, data }, { table, run }) {
    const n = Number(data);
    run(`INSERT INTO ${table('applied')} VALUES (?, ?)`, position, n);
    run(
      `INSERT INTO ${table('sums')} VALUES (1, 1, ?)
       ON CONFLICT (id) DO UPDATE SET events = events + 1, sum = sum + excluded.sum`,
      n,
    );
  },
  onProgress: ({ position }) => writeSync(1, `${position}\n`),
}).start();
await running.reached(Number(last));
await running.stop();
process.exit(0);
