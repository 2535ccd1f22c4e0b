import type { DatabaseSync } from 'node:sqlite';
import { checksum } from './checksum.ts';
import { damaged } from './sqlite-errors.ts';

/** What a file keeps besides its events. */
export type MetaName = 'store_uuid' | 'feed_checkpoint' | 'write_probe';

/** @throws `internal` when the value does not fit its checksum */
export function readMeta(database: DatabaseSync, name: MetaName, file: string): string | undefined {
  const row = database.prepare('SELECT value, checksum FROM meta WHERE name = ?').get(name);
  if (row === undefined) return undefined;
  const value = String(row['value']);
  if (checksum(`${name}\n${value}`) !== row['checksum'])
    throw damaged(file, `${name} does not fit its checksum`);
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
