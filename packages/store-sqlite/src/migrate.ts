import type { DatabaseSync } from 'node:sqlite';
import { checkSchema } from './check-schema.ts';
import { SCHEMA } from './schema.ts';

/** A change of the schema from one version to the next. */
interface Migration {
  readonly from: number;
  /** The objects whose SQL differed in the version before. */
  readonly before: ReadonlyMap<string, string>;
  readonly statements: readonly string[];
}

const MIGRATIONS: readonly Migration[] = [
  {
    // Event ids were unique in the whole store.
    from: 1,
    before: new Map([['events_by_id', 'CREATE UNIQUE INDEX events_by_id ON events (id)']]),
    statements: ['DROP INDEX events_by_id', SCHEMA.get('events_by_id') as string],
  },
];

/**
 * Brings a file of an older schema version up to date. Each step is one transaction, so a process that is killed leaves
 * either version behind.
 *
 * @throws `unavailable` when the old tables were changed
 */
export function migrate(database: DatabaseSync, file: string): void {
  for (const { from, before, statements } of MIGRATIONS) {
    if (database.prepare('PRAGMA user_version').get()?.['user_version'] !== from) continue;
    checkSchema(database, new Map([...SCHEMA, ...before]), file);
    database.exec('BEGIN IMMEDIATE');
    for (const sql of statements) database.exec(sql);
    database.exec(`PRAGMA user_version = ${from + 1}; COMMIT`);
  }
}
