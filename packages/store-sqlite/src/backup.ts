import { realpathSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { GaterError } from '@esdb-gater/types';
import {
  type CopyOptions,
  copyDatabase,
  existsAlready,
  isFile,
  publishCopy,
  type StoreContents,
} from './backup-file.ts';
import { lockFile } from './file-lock.ts';

/**
 * Copies the database of a store to a file, as it is at this moment. The store may be running in another process, whose
 * appends go on. The copy is one file of mode 0600, whose every page was checked.
 *
 * @param file the database of the store
 * @throws `invalid_argument` (reason `exists`); `unavailable`; `internal` when the database is damaged; the signal's reason
 */
export async function backupStore(
  file: string,
  target: string,
  options: CopyOptions = {},
): Promise<StoreContents> {
  const { overwrite = false } = options;
  if (!overwrite && isFile(target)) throw existsAlready(target);
  const { path, contents } = await copyDatabase(file, target, options);
  publishCopy(path, target, overwrite);
  return contents;
}

/**
 * Replaces the database of a store that is not running by a backup. The backup is copied and checked first; then it takes the
 * place of the database in one step, so that a process that is killed leaves either of the two behind.
 *
 * The store then is what it was at the backup, its feed checkpoint and its subscriptions included. What was written since is
 * gone, and its positions are given to other events. Readers that have seen some of it find that out by the ids of events.
 *
 * @param file the database of the store, which need not exist
 * @throws `invalid_argument` (reason `exists`) when the store has a database and `overwrite` is false; `unavailable` when the
 * store is running, or the backup cannot be read; `internal` when the backup is damaged; the signal's reason
 */
export async function restoreStore(
  backup: string,
  file: string,
  options: CopyOptions = {},
): Promise<StoreContents> {
  const isNew = !isFile(file);
  if (!isNew && options.overwrite !== true) throw existsAlready(file);
  const lock = lockFile(file);
  // Locking creates the file.
  let isRestored = !isNew;
  try {
    const target = realpathSync(file);
    if (isFile(backup) && realpathSync(backup) === target) {
      throw new GaterError('unavailable', `the file ${backup} is the database of the store itself`);
    }
    const { path, contents } = await copyDatabase(backup, target, options);
    emptyLog(target);
    publishCopy(path, target, true);
    isRestored = true;
    return contents;
  } finally {
    if (!isRestored) rmSync(file, { force: true });
    lock.release();
  }
}

/**
 * Moves the log of a database into it, and removes it: SQLite would apply it to the database that takes its place. A log that
 * cannot be moved, because the database is damaged, is of use to nobody.
 */
function emptyLog(file: string): void {
  if (isFile(file)) {
    try {
      const database = new DatabaseSync(file);
      try {
        database.exec('PRAGMA journal_mode = DELETE');
      } finally {
        database.close();
      }
    } catch {
      // It is damaged, which is why it is replaced.
    }
  }
  for (const suffix of ['-wal', '-shm', '-journal']) rmSync(`${file}${suffix}`, { force: true });
}
