import { sleep } from '@esdb-gater/primitives';
import { systemClock } from '@esdb-gater/types';

/** How long a statement waits for the transactions of other connections. */
const MAX_WAIT_MS = 5_000;
const MAX_DELAY_MS = 20;
/** SQLITE_BUSY; the bits above the lowest eight tell more. */
const BUSY = 5;

/**
 * Runs a statement again while another connection, perhaps of another process, holds the lock of the file. SQLite itself can
 * only refuse at once or block the whole process (`PRAGMA busy_timeout`).
 *
 * @throws what the statement throws, and after 5 s also that the database is locked
 */
export async function whileLocked<T>(run: () => T): Promise<T> {
  const startMs = systemClock.monotonic();
  for (;;) {
    try {
      return run();
    } catch (error) {
      if (!isLocked(error) || systemClock.monotonic() - startMs >= MAX_WAIT_MS) throw error;
    }
    await sleep(Math.random() * MAX_DELAY_MS, systemClock, undefined);
  }
}

function isLocked(error: unknown): boolean {
  // `errcode` is of node:sqlite, `code` of better-sqlite3.
  const { errcode, code } = error as { readonly errcode?: unknown; readonly code?: unknown };
  return (typeof errcode === 'number' && (errcode & 0xff) === BUSY) || /^SQLITE_BUSY/.test(String(code));
}
