import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { GaterError } from '@esdb-gater/types';
import { checkSchema } from './check-schema.ts';
import { defineFunctions } from './event-row.ts';
import { readMeta, writeMeta } from './meta.ts';
import { migrate } from './migrate.ts';
import { APPLICATION_ID, SCHEMA, SCHEMA_VERSION } from './schema.ts';
import { damaged } from './sqlite-errors.ts';

export interface OpenDatabaseOptions {
  readonly file: string;
  /** When commits are flushed to the disk: each one, or at checkpoints of the log. */
  readonly flush: 'commit' | 'checkpoint';
  /** The file size up to which every page and index entry is checked when the file is opened. */
  readonly checkBytes: number;
  /** How long a write waits for another program's write lock. */
  readonly busyTimeoutMs: number;
}

/**
 * Opens the only read-write connection and creates the tables in a new file. Refuses the database of another program
 * before anything is written to it. Brings the tables of an older version up to date.
 */
export function openForWriting(options: OpenDatabaseOptions): DatabaseSync {
  const { file } = options;
  const database = new DatabaseSync(file, { timeout: options.busyTimeoutMs });
  try {
    const fresh = isFresh(database);
    if (!fresh) checkOwner(database, file);
    database.exec('PRAGMA journal_mode = WAL; PRAGMA foreign_keys = OFF');
    // FULL flushes the log with each commit, so that every acknowledged append is on disk.
    database.exec(`PRAGMA synchronous = ${options.flush === 'commit' ? 'FULL' : 'NORMAL'}`);
    // A log of 8 MiB that is overwritten repeatedly is cheaper to flush than one that grows.
    database.exec('PRAGMA wal_autocheckpoint = 2000');
    database.exec('PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY');
    if (fresh) createSchema(database);
    else migrate(database, file);
    checkSchema(database, SCHEMA, file);
    if (readMeta(database, 'store_uuid', file) === undefined) throw damaged(file, 'store_uuid is missing');
    if (!fresh && statSync(file).size <= options.checkBytes) checkIntegrity(database, file);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Opens the read-only connection. It sees every commit that has returned. */
export function openForReading(options: OpenDatabaseOptions): DatabaseSync {
  const database = new DatabaseSync(options.file, { readOnly: true, timeout: options.busyTimeoutMs });
  database.exec('PRAGMA cache_size = -32768; PRAGMA temp_store = MEMORY');
  defineFunctions(database);
  return database;
}

function isFresh(database: DatabaseSync): boolean {
  const row = database.prepare('SELECT count(*) AS tables FROM sqlite_schema').get();
  return row?.['tables'] === 0 && pragma(database, 'application_id') === 0;
}

function checkOwner(database: DatabaseSync, file: string): void {
  if (pragma(database, 'application_id') !== APPLICATION_ID) {
    throw new GaterError('unavailable', `the file ${file} is a database of another program`);
  }
  const version = pragma(database, 'user_version');
  if (Number(version) >= 1 && Number(version) <= SCHEMA_VERSION) return;
  throw new GaterError(
    'unavailable',
    `the file ${file} has schema version ${String(version)}; this program supports up to ${SCHEMA_VERSION}`,
  );
}

function createSchema(database: DatabaseSync): void {
  database.exec('BEGIN IMMEDIATE');
  for (const sql of SCHEMA.values()) database.exec(sql);
  writeMeta(database, 'store_uuid', crypto.randomUUID());
  database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`);
}

function checkIntegrity(database: DatabaseSync, file: string): void {
  const result = database.prepare('PRAGMA integrity_check(1)').get()?.['integrity_check'];
  if (result !== 'ok') throw damaged(file, String(result));
}

function pragma(database: DatabaseSync, name: string): unknown {
  return database.prepare(`PRAGMA ${name}`).get()?.[name];
}
