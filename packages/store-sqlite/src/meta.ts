import type { DatabaseSync } from 'node:sqlite';
import { parseFeedPosition } from '@esdb-gater/primitives';
import type { FeedPosition } from '@esdb-gater/types';
import { checksum } from './checksum.ts';
import { damaged } from './sqlite-errors.ts';

/** The names of values that a file keeps besides its events. */
export type MetaName = 'store_uuid' | 'feed_checkpoint' | 'write_probe' | 'chain_start';

/** Reads a value; undefined when it does not exist. @throws `internal` when it does not match its checksum */
export function readMeta(database: DatabaseSync, name: MetaName, file: string): string | undefined {
  const row = database.prepare('SELECT value, checksum FROM meta WHERE name = ?').get(name);
  if (row === undefined) return undefined;
  const value = String(row['value']);
  if (checksum(`${name}\n${value}`) !== row['checksum'])
    throw damaged(file, `${name} does not match its checksum`);
  return value;
}

/** Reads the feed's checkpoint: JSON, or only the number of the position in a file of an earlier release. */
export function readFeedPosition(database: DatabaseSync, file: string): FeedPosition {
  const text = readMeta(database, 'feed_checkpoint', file);
  if (text === undefined) return parseFeedPosition(undefined);
  try {
    return parseFeedPosition(JSON.parse(text));
  } catch {
    throw damaged(file, 'feed_checkpoint is not JSON');
  }
}

/** Returns the position of the first event that has a hash, or undefined in a file without chains. */
export function readChainStart(database: DatabaseSync, file: string): number | undefined {
  const text = readMeta(database, 'chain_start', file);
  return text === undefined ? undefined : Number(text);
}

export function deleteMeta(database: DatabaseSync, name: MetaName): void {
  database.prepare('DELETE FROM meta WHERE name = ?').run(name);
}

export function writeMeta(database: DatabaseSync, name: MetaName, value: string): void {
  database
    .prepare(
      `INSERT INTO meta (name, value, checksum) VALUES (?, ?, ?)
       ON CONFLICT (name) DO UPDATE SET value = excluded.value, checksum = excluded.checksum`,
    )
    .run(name, value, checksum(`${name}\n${value}`));
}
