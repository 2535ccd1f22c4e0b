import type { DatabaseSync } from 'node:sqlite';
import { checksum } from './checksum.ts';
import { damaged } from './sqlite-errors.ts';

/** The names of values that a file keeps besides its events. */
export type MetaName = 'store_uuid' | 'feed_checkpoint' | 'write_probe';

/** Reads a value; undefined when it does not exist. @throws `internal` when it does not match its checksum */
export function readMeta(database: DatabaseSync, name: MetaName, file: string): string | undefined {
  const row = database.prepare('SELECT value, checksum FROM meta WHERE name = ?').get(name);
  if (row === undefined) return undefined;
  const value = String(row['value']);
  if (checksum(`${name}\n${value}`) !== row['checksum'])
    throw damaged(file, `${name} does not match its checksum`);
  return value;
}

export function writeMeta(database: DatabaseSync, name: MetaName, value: string): void {
  database
    .prepare(
      `INSERT INTO meta (name, value, checksum) VALUES (?, ?, ?)
       ON CONFLICT (name) DO UPDATE SET value = excluded.value, checksum = excluded.checksum`,
    )
    .run(name, value, checksum(`${name}\n${value}`));
}
