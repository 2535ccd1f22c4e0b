import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { type StoredSnapshot, snapshotText } from '@esdb-gater/event-store';
import { checksum } from './checksum.ts';
import { prepareRows, type RowStatement } from './prepare-rows.ts';
import { damaged } from './sqlite-errors.ts';

const COLUMNS = 'version, record, metadata, epoch_us, checksum';

type Columns = [version: number, record: string, metadata: string, epochUs: number, checksum: number];

/** Writes snapshots, within a transaction. */
export class SnapshotWriter {
  readonly #put: StatementSync;
  readonly #delete: StatementSync;
  readonly #deleteAll: StatementSync;

  constructor(database: DatabaseSync) {
    this.#put = database.prepare(
      `INSERT INTO snapshots (source_uuid, stream_uuid, ${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (source_uuid, stream_uuid, version) DO UPDATE SET record = excluded.record,
         metadata = excluded.metadata, epoch_us = excluded.epoch_us, checksum = excluded.checksum`,
    );
    this.#delete = database.prepare(
      'DELETE FROM snapshots WHERE source_uuid = ? AND stream_uuid = ? AND version = ?',
    );
    this.#deleteAll = database.prepare('DELETE FROM snapshots WHERE source_uuid = ? AND stream_uuid = ?');
  }

  put(snapshot: StoredSnapshot): void {
    const { sourceUuid, streamUuid, version, record, metadata, epochUs } = snapshot;
    const sum = checksum(snapshotText(snapshot));
    this.#put.run(sourceUuid, streamUuid, version, record, metadata, epochUs, sum);
  }

  /** Deletes one snapshot, or without a version all of them. */
  delete(sourceUuid: string, streamUuid: string, version: number | undefined): boolean {
    if (version === undefined) return Number(this.#deleteAll.run(sourceUuid, streamUuid).changes) > 0;
    return Number(this.#delete.run(sourceUuid, streamUuid, version).changes) > 0;
  }
}

/** Reads snapshots. */
export class SnapshotReader {
  readonly #file: string;
  readonly #one: RowStatement<Columns>;
  readonly #newestFirst: RowStatement<Columns>;

  constructor(database: DatabaseSync, file: string) {
    this.#file = file;
    // The time as a real number: an older version could write one that is not a safe integer.
    const columns = COLUMNS.replace('epoch_us', 'CAST(epoch_us AS REAL)');
    const select = `SELECT ${columns} FROM snapshots WHERE source_uuid = ? AND stream_uuid = ?`;
    this.#one = prepareRows(database, `${select} AND version = ?`);
    this.#newestFirst = prepareRows(database, `${select} AND version <= ? ORDER BY version DESC`);
  }

  /** Returns the snapshot at a version, by default the newest. */
  find(sourceUuid: string, streamUuid: string, version?: number): StoredSnapshot | undefined {
    if (version === undefined) {
      for (const snapshot of this.newestFirst(sourceUuid, streamUuid)) return snapshot;
      return undefined;
    }
    const row = this.#one.get(sourceUuid, streamUuid, version);
    return row === undefined ? undefined : this.#read(sourceUuid, streamUuid, row);
  }

  /** Yields the snapshots up to a version, newest first. Reads row by row, so a caller that stops early loads no more. */
  *newestFirst(
    sourceUuid: string,
    streamUuid: string,
    highest: number = Number.MAX_SAFE_INTEGER,
  ): Generator<StoredSnapshot> {
    for (const row of this.#newestFirst.iterate(sourceUuid, streamUuid, highest)) {
      yield this.#read(sourceUuid, streamUuid, row);
    }
  }

  #read(sourceUuid: string, streamUuid: string, row: Columns): StoredSnapshot {
    const [version, record, metadata, epochUs, expected] = row;
    const snapshot = { sourceUuid, streamUuid, version, record, metadata, epochUs };
    if (checksum(snapshotText(snapshot)) === expected) return snapshot;
    const which = `${JSON.stringify(streamUuid)} at version ${version}`;
    throw damaged(this.#file, `the snapshot of ${which} does not match its checksum`);
  }
}
