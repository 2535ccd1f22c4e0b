import { GaterError } from '@esdb-gater/types';

/** Primary result codes of SQLite (sqlite.org/rescode.html) that need their own handling. */
const BUSY = 5;
const IO_ERROR = 10;
const CORRUPT = 11;
const FULL = 13;
const NOT_A_DATABASE = 26;

/** The extended code of a full disk under the shared memory file. */
const IO_ERROR_SHMSIZE = 4874;

/** Returns SQLite's primary result code; undefined for any other error. */
export function sqliteCode(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  return code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number' ? errcode & 0xff : undefined;
}

export function isBusy(error: unknown): boolean {
  return sqliteCode(error) === BUSY;
}

/** Makes the error for a damaged file. Not retriable: it takes an operator with a backup to mend it. */
export function damaged(file: string, what: string, cause?: unknown): GaterError {
  return new GaterError('internal', `the file ${file} is damaged: ${what}`, { cause });
}

/** Converts an error of SQLite, or of Node about a column's value, to a `GaterError`. */
export function fromSqlite(error: unknown, file: string): GaterError {
  if (GaterError.is(error)) return error;
  const code = sqliteCode(error);
  const message = error instanceof Error ? error.message : String(error);
  if (code === undefined) return damaged(file, message, error);
  if (code === CORRUPT || code === NOT_A_DATABASE || isDiskError(error)) return damaged(file, message, error);
  const what = code === FULL ? 'the disk is full' : message;
  return new GaterError('unavailable', `the file ${file} cannot be used: ${what}`, { cause: error });
}

/** Returns true for a failed read, write or flush: what is on the disk is then unknown. */
function isDiskError(error: unknown): boolean {
  return sqliteCode(error) === IO_ERROR && (error as { errcode: number }).errcode !== IO_ERROR_SHMSIZE;
}
