import { realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { GaterError } from '@esdb-gater/types';
import { makeFilesPrivate } from './private-files.ts';
import { requireSinglePath } from './single-path.ts';
import { fromSqlite, isBusy } from './sqlite-errors.ts';

/** A lock on a store's file, held by this process. */
export interface FileLock {
  release(): void;
}

/**
 * Locks a store's file for this process.
 *
 * The lock is SQLite's own on an empty sidecar database `<file>.lock`: the operating system frees it however the
 * process ends, and outside tools can still read the store itself. The sidecar stays behind, unlocked, as
 * removing it would let two openers hold two different files of that name.
 *
 * @throws `unavailable`, in one line that names the file
 */
export function lockFile(file: string): FileLock {
  const path = realPath(file);
  requireSinglePath(path);
  makeFilesPrivate(path);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(`${path}.lock`, { timeout: 0 });
    // The journal in memory: an exclusive transaction that writes nothing needs none on disk.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    database?.close();
    if (!isBusy(error)) throw fromSqlite(error, file);
    throw new GaterError(
      'unavailable',
      `the file ${file} is open already; one process serves a SQLite store`,
      {
        cause: error,
      },
    );
  }
  const held = database;
  return { release: () => held.close() };
}

/** Resolves symbolic links, also for a file that does not exist yet. */
function realPath(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return join(realFolder(file), basename(file));
  }
}

function realFolder(file: string): string {
  try {
    return realpathSync(dirname(file));
  } catch (error) {
    throw new GaterError('unavailable', `the folder of the file ${file} cannot be used`, { cause: error });
  }
}
