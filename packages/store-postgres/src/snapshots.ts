import { type SnapshotList, type StoredSnapshot, snapshotPageText } from '@esdb-gater/event-store';
import { type CallContext, LIMITS, type SnapshotPage } from '@esdb-gater/types';
import type { QueryRunner } from './reading/query-runner.ts';
import type { StatementWriter } from './statement-writer.ts';

type Columns = readonly [version: number, record: string, metadata: string, epochUs: number];

interface SnapshotKey {
  readonly sourceUuid: string;
  readonly streamUuid: string;
}

/** Keeps snapshots: one per source, stream and version. */
export class Snapshots {
  readonly #read: QueryRunner;
  readonly #write: StatementWriter;
  readonly #table: string;

  /** @param schema as SQL */
  constructor(schema: string, read: QueryRunner, write: StatementWriter) {
    this.#read = read;
    this.#write = write;
    this.#table = `${schema}.snapshots`;
  }

  async put(snapshot: StoredSnapshot): Promise<void> {
    const { sourceUuid, streamUuid, version, record, metadata, epochUs } = snapshot;
    await this.#write(
      `INSERT INTO ${this.#table} (source_uuid, stream_uuid, version, record, metadata, epoch_us)
       VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT (source_uuid, stream_uuid, version) DO UPDATE
         SET record = excluded.record, metadata = excluded.metadata, epoch_us = excluded.epoch_us`,
      [sourceUuid, streamUuid, version, record, metadata, epochUs],
    );
  }

  /** Returns the snapshot at a version, by default the newest. */
  async find(key: SnapshotKey, version?: number, context?: CallContext): Promise<StoredSnapshot | undefined> {
    const [row] = await this.#read<Columns>(
      `SELECT version, record, metadata, epoch_us FROM ${this.#table}
       WHERE source_uuid = $1 AND stream_uuid = $2 AND version BETWEEN $3 AND $4
       ORDER BY version DESC LIMIT 1`,
      [key.sourceUuid, key.streamUuid, ...versions(version)],
      context,
    );
    return row && stored(key, row);
  }

  /** Returns a page, newest first. */
  async list(
    key: SnapshotKey,
    { highest, count }: SnapshotList,
    context?: CallContext,
  ): Promise<SnapshotPage> {
    const size = 'octet_length(record) + octet_length(metadata) + 300';
    const rows = await this.#read<Columns>(
      `SELECT version, record, metadata, epoch_us FROM (
         SELECT s.*, sum(size) OVER (ORDER BY version DESC) - size AS before FROM (
           SELECT *, ${size} AS size FROM ${this.#table}
           WHERE source_uuid = $1 AND stream_uuid = $2 AND version <= $3 ORDER BY version DESC LIMIT $4
         ) s
       ) s WHERE before < 2 * ${LIMITS.pageBytes} ORDER BY version DESC`,
      // One more than asked for tells where the next page begins.
      [key.sourceUuid, key.streamUuid, highest, count + 1],
      context,
    );
    return JSON.parse(
      snapshotPageText(
        rows.map((row) => stored(key, row)),
        count,
      ),
    ) as SnapshotPage;
  }

  /** Deletes one snapshot, or without a version all of them. Returns whether there was any. */
  async delete({ sourceUuid, streamUuid }: SnapshotKey, version: number | undefined): Promise<boolean> {
    const rows = await this.#write(
      `WITH deleted AS (
         DELETE FROM ${this.#table}
         WHERE source_uuid = $1 AND stream_uuid = $2 AND version BETWEEN $3 AND $4 RETURNING 1
       ) SELECT 1 FROM deleted LIMIT 1`,
      [sourceUuid, streamUuid, ...versions(version)],
    );
    return rows.length > 0;
  }
}

/** Returns the range of a version, or of all: a plan that serves both has no other way to look one up. */
function versions(version: number | undefined): readonly [lowest: number, highest: number] {
  return [version ?? 0, version ?? Number.MAX_SAFE_INTEGER];
}

function stored(
  { sourceUuid, streamUuid }: SnapshotKey,
  [version, record, metadata, epochUs]: Columns,
): StoredSnapshot {
  return { sourceUuid, streamUuid, version, record, metadata, epochUs };
}
