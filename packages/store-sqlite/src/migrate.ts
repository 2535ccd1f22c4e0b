import type { DatabaseSync } from 'node:sqlite';
import { checkSchema } from './check-schema.ts';
import { SCHEMA } from './schema.ts';

/** A change of the schema from one version to the next. */
interface Migration {
  readonly from: number;
  /** The objects whose SQL differed in the version before. */
  readonly before: ReadonlyMap<string, string>;
  /** The objects that did not exist in the version before. */
  readonly added: readonly string[];
  readonly statements: readonly string[];
}

const MIGRATIONS: readonly Migration[] = [
  {
    // Event ids were unique in the whole store.
    from: 1,
    before: new Map([['events_by_id', 'CREATE UNIQUE INDEX events_by_id ON events (id)']]),
    added: [],
    statements: ['DROP INDEX events_by_id', SCHEMA.get('events_by_id') as string],
  },
  {
    // Events did not carry bytes.
    from: 2,
    before: new Map([
      [
        'recorded_events',
        `CREATE VIEW recorded_events AS
SELECT position, name AS stream_id, version, events.id AS id, type, data, metadata, tags, epoch_us,
  strftime('%Y-%m-%dT%H:%M:%S', epoch_us / 1000000, 'unixepoch')
    || printf('.%03dZ', epoch_us / 1000 % 1000) AS timestamp
FROM events JOIN streams ON streams.id = events.stream`,
      ],
    ]),
    added: ['event_bytes'],
    statements: [
      'DROP VIEW recorded_events',
      SCHEMA.get('event_bytes') as string,
      SCHEMA.get('recorded_events') as string,
    ],
  },
  {
    // There were no persistent subscriptions.
    from: 3,
    before: new Map(),
    added: ['subscriptions', 'parked_events'],
    statements: [SCHEMA.get('subscriptions') as string, SCHEMA.get('parked_events') as string],
  },
  {
    // Events had no hashes.
    from: 4,
    before: new Map(),
    added: ['event_hashes'],
    statements: [SCHEMA.get('event_hashes') as string],
  },
];

/**
 * Brings a file of an older schema version up to date. Each step is one transaction, so a process that is killed leaves
 * either version behind.
 *
 * @throws `unavailable` when the old tables were changed
 */
export function migrate(database: DatabaseSync, file: string): void {
  for (const { from, statements } of MIGRATIONS) {
    if (database.prepare('PRAGMA user_version').get()?.['user_version'] !== from) continue;
    checkSchema(database, schemaOf(from), file);
    database.exec('BEGIN IMMEDIATE');
    for (const sql of statements) database.exec(sql);
    database.exec(`PRAGMA user_version = ${from + 1}; COMMIT`);
  }
}

/** Returns the objects of an earlier version. */
function schemaOf(version: number): ReadonlyMap<string, string> {
  const schema = new Map(SCHEMA);
  // The newest migration first, as an earlier one knows the older form.
  for (const { before, added } of MIGRATIONS.filter(({ from }) => from >= version).toReversed()) {
    for (const name of added) schema.delete(name);
    for (const [name, sql] of before) schema.set(name, sql);
  }
  return schema;
}
