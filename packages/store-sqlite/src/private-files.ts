import { chmodSync, closeSync, openSync } from 'node:fs';

const OWNER_ONLY = 0o600;

/** The files of a store besides the database. SQLite gives a new log and index the mode of the database. */
const SUFFIXES = ['', '-wal', '-shm', '.lock'] as const;

/**
 * Makes a store's files readable by their owner only, whatever the umask, and creates those that SQLite would create
 * with another mode.
 *
 * An existing file is never opened here: closing it would release the POSIX locks that this process holds on it.
 */
export function makeFilesPrivate(path: string): void {
  for (const created of [path, `${path}.lock`]) {
    try {
      closeSync(openSync(created, 'wx', OWNER_ONLY));
    } catch {
      // It exists, or it cannot be created, which SQLite will report.
    }
  }
  for (const suffix of SUFFIXES) {
    try {
      chmodSync(`${path}${suffix}`, OWNER_ONLY);
    } catch {
      // It does not exist, or it belongs to another user, who decides about its mode.
    }
  }
}
