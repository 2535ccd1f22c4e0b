import type { DatabaseSync } from 'node:sqlite';
import { GaterError } from '@esdb-gater/types';

/**
 * Checks that our tables and indexes are unchanged. Users may add their own.
 *
 * @throws `unavailable`
 */
export function checkSchema(database: DatabaseSync, schema: ReadonlyMap<string, string>, file: string): void {
  const statement = database.prepare('SELECT sql FROM sqlite_schema WHERE name = ?');
  for (const [name, sql] of schema) {
    if (statement.get(name)?.['sql'] === sql) continue;
    throw new GaterError('unavailable', `the file ${file} has another schema: ${name} was changed`);
  }
}
