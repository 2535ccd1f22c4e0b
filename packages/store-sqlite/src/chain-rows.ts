import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { CHAIN_START } from '@esdb-gater/event-store';
import { deleteMeta, readChainStart, writeMeta } from './meta.ts';
import { prepareRows, type RowStatement } from './prepare-rows.ts';

/** What opening a file did to its chains of hashes. */
export type ChainChange = 'begun' | 'ended';

/**
 * Begins the chains of a file that has none, with the next event, or ends those that it has. The hashes of chains that ended are
 * removed when new ones begin: they would seem to belong to them.
 */
export function switchChains(
  database: DatabaseSync,
  file: string,
  tamperEvident: boolean,
): ChainChange | undefined {
  const kept = readChainStart(database, file) !== undefined;
  if (kept === tamperEvident) return undefined;
  if (!tamperEvident) {
    deleteMeta(database, 'chain_start');
    return 'ended';
  }
  database.exec('BEGIN IMMEDIATE');
  const newest = database.prepare('SELECT max(position) AS position FROM events').get();
  database.exec('DELETE FROM event_hashes');
  writeMeta(database, 'chain_start', String(Number(newest?.['position'] ?? 0) + 1));
  database.exec('COMMIT');
  return 'begun';
}

/** Writes the hashes of events, within a transaction. */
export class ChainRows {
  readonly #insert: StatementSync;
  readonly #hash: RowStatement<[hash: string]>;

  constructor(database: DatabaseSync) {
    this.#insert = database.prepare('INSERT INTO event_hashes (stream, version, hash) VALUES (?, ?, ?)');
    this.#hash = prepareRows(database, 'SELECT hash FROM event_hashes WHERE stream = ? AND version = ?');
  }

  /** Returns the hash of an event, or what stands before the first of a chain. */
  hashOf(stream: number, version: number): string {
    return this.#hash.get(stream, version)?.[0] ?? CHAIN_START;
  }

  insert(stream: number, version: number, hash: string): void {
    this.#insert.run(stream, version, hash);
  }
}
