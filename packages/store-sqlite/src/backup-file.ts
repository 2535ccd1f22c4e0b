import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { backup as copyPages, DatabaseSync } from 'node:sqlite';
import { GaterError, invalidArgument } from '@esdb-gater/types';
import { readMeta } from './meta.ts';
import { APPLICATION_ID, SCHEMA_VERSION } from './schema.ts';
import { damaged, fromSqlite } from './sqlite-errors.ts';

/** How far a backup or a restore has come. */
export interface CopyProgress {
  readonly phase: 'copying' | 'checking';
  /** Bytes that were copied. */
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface CopyOptions {
  /** Replaces a file that exists. @default false */
  readonly overwrite?: boolean;
  readonly onProgress?: (progress: CopyProgress) => void;
  /** Ends the copying, and removes what was copied. */
  readonly signal?: AbortSignal;
}

/** What is in a database of a store. */
export interface StoreContents {
  readonly storeUuid: string;
  /** The newest position; 0 without events. */
  readonly position: number;
  readonly events: number;
  readonly bytes: number;
}

const OWNER_ONLY = 0o600;

/** Pages that are copied at a time: 1 MiB, so that the progress moves. */
const PAGES_PER_STEP = 256;

/** How long a step waits for another program's lock. */
const BUSY_TIMEOUT_MS = 5_000;

/**
 * Copies a store's database as it is at this moment, whoever writes to it meanwhile, to a new file beside `target`. The copy
 * is checked and flushed to the disk before this returns its path.
 *
 * The read transaction of the copy keeps SQLite from reusing the log, which grows by what is written meanwhile.
 *
 * @throws `unavailable`, `internal` (damaged); the signal's reason
 */
export async function copyDatabase(
  source: string,
  target: string,
  { onProgress, signal }: CopyOptions,
): Promise<{ readonly path: string; readonly contents: StoreContents }> {
  if (!isFile(source)) throw new GaterError('unavailable', `the file ${source} does not exist`);
  const path = createPrivateFile(target);
  try {
    const expected = await copyPagesTo(path, source, {
      ...(onProgress && { onProgress }),
      ...(signal && { signal }),
    });
    onProgress?.({ phase: 'checking', doneBytes: expected.bytes, totalBytes: expected.bytes });
    const contents = checkCopy(path, source, expected);
    flush(path);
    return { path, contents };
  } catch (error) {
    removeDatabase(path);
    signal?.throwIfAborted();
    throw fromSqlite(error, source);
  }
}

/**
 * Gives a copy its final name, in one step: at any moment the name is that of the old file or of the whole new one.
 *
 * @throws `invalid_argument` (reason `exists`) when the file exists and must not be replaced
 */
export function publishCopy(path: string, target: string, overwrite: boolean): void {
  try {
    if (overwrite) renameSync(path, target);
    else {
      // Unlike a rename, this fails when the file has come into being meanwhile.
      linkSync(path, target);
      rmSync(path);
    }
  } catch (error) {
    removeDatabase(path);
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw existsAlready(target);
    throw cannotWrite(target, error);
  }
  flush(dirname(target));
}

/** Removes a database with its log and its index. */
export function removeDatabase(path: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(`${path}${suffix}`, { force: true });
}

/** True for a file that exists and is not empty. */
export function isFile(path: string): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

export function existsAlready(target: string): GaterError {
  return invalidArgument(
    'exists',
    `the file ${target} exists already and is not overwritten without --force`,
  );
}

async function copyPagesTo(
  path: string,
  source: string,
  { onProgress, signal }: Pick<CopyOptions, 'onProgress' | 'signal'>,
): Promise<StoreContents> {
  const database = new DatabaseSync(source, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
  try {
    // The transaction sees one moment of the store. Without it each commit would begin the copy anew.
    database.exec('BEGIN');
    const contents = contentsOf(database, source);
    await copyPages(database, path, {
      rate: PAGES_PER_STEP,
      progress({ totalPages, remainingPages }) {
        signal?.throwIfAborted();
        const share = totalPages === 0 ? 1 : (totalPages - remainingPages) / totalPages;
        const { bytes } = contents;
        onProgress?.({ phase: 'copying', doneBytes: Math.round(bytes * share), totalBytes: bytes });
      },
    });
    return contents;
  } finally {
    database.close();
  }
}

/** Makes the copy one file without a log, and checks every page of it. */
function checkCopy(path: string, source: string, expected: StoreContents): StoreContents {
  const copy = new DatabaseSync(path);
  try {
    copy.exec('PRAGMA journal_mode = DELETE');
    const result = copy.prepare('PRAGMA integrity_check(1)').get()?.['integrity_check'];
    if (result !== 'ok') throw damaged(source, String(result));
    const contents = contentsOf(copy, source);
    if (contents.position !== expected.position || contents.events !== expected.events) {
      throw damaged(
        path,
        `the copy must have ${expected.events} events up to position ${expected.position}, got ${contents.events} up to ${contents.position}`,
      );
    }
    return contents;
  } finally {
    copy.close();
  }
}

/** @throws `unavailable` for the database of another program, or of a newer version of this one */
function contentsOf(database: DatabaseSync, file: string): StoreContents {
  const pragma = (name: string): number => Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
  if (pragma('application_id') !== APPLICATION_ID) {
    throw new GaterError('unavailable', `the file ${file} is not the database of a store`);
  }
  const version = pragma('user_version');
  if (version > SCHEMA_VERSION) {
    throw new GaterError(
      'unavailable',
      `the file ${file} has schema version ${version}; this program supports up to ${SCHEMA_VERSION}`,
    );
  }
  const row = database
    .prepare('SELECT coalesce(max(position), 0) AS position, count(*) AS events FROM events')
    .get();
  const storeUuid = readMeta(database, 'store_uuid', file);
  if (storeUuid === undefined) throw damaged(file, 'store_uuid is missing');
  return {
    storeUuid,
    position: Number(row?.['position']),
    events: Number(row?.['events']),
    bytes: pragma('page_count') * pragma('page_size'),
  };
}

/** Creates an empty file beside `target` that only its owner may read. */
function createPrivateFile(target: string): string {
  const path = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}.partial`);
  try {
    closeSync(openSync(path, 'wx', OWNER_ONLY));
    return path;
  } catch (error) {
    throw cannotWrite(target, error);
  }
}

function cannotWrite(target: string, error: unknown): GaterError {
  const { code } = error as NodeJS.ErrnoException;
  return new GaterError('unavailable', `cannot write ${target}: ${code ?? String(error)}`, { cause: error });
}

/** Flushes a file or a folder to the disk. */
function flush(path: string): void {
  let handle: number;
  try {
    handle = openSync(path, 'r');
  } catch (error) {
    throw cannotWrite(path, error);
  }
  try {
    fsyncSync(handle);
  } catch {
    // Some systems cannot flush folders.
  } finally {
    closeSync(handle);
  }
}
