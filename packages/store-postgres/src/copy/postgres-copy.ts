import {
  type AppendRequest,
  encodeEvents,
  type HiddenStream,
  nextEpochUs,
  type SnapshotKey,
  type StoreCopyTarget,
  type StoredSnapshot,
} from '@esdb-gater/event-store';
import { invalidArgument, LIMITS, type NewEvent, type RecordedEvent } from '@esdb-gater/types';
import { PrimaryLink, readRows } from '../connection/primary-link.ts';
import { createFeedCheckpoint } from '../feed-checkpoint.ts';
import { type PostgresStoreOptions, type ResolvedOptions, resolveOptions } from '../options.ts';
import { fromPostgres, sqlState } from '../postgres-errors.ts';
import { EventReader } from '../reading/event-reader.ts';
import { createQueryRunner, type QueryRunner } from '../reading/query-runner.ts';
import { alignChains, migrate, quoteName, readIdentity, schemaExists } from '../schema/migrate.ts';
import { createStatementWriter, type StatementWriter } from '../statement-writer.ts';
import { createSubscriptionState } from '../subscription-state.ts';
import { decodeAnswers } from '../writing/decode-answers.ts';
import { batchStatement, encodeBatch } from '../writing/encode-batch.ts';
import type { WriteRequest } from '../writing/write-request.ts';

const PAGE = LIMITS.pageCount;

/** Each may have a MiB. */
const SNAPSHOTS_PER_PAGE = 20;

/**
 * Opens a store in PostgreSQL to copy all of it, or to copy another one into it.
 *
 * @param role a target is made when it does not exist; a source must exist, and nothing is written to it
 * @throws what `openPostgresStore` throws
 */
export async function openPostgresCopy(
  options: PostgresStoreOptions,
  role: 'source' | 'target',
): Promise<StoreCopyTarget> {
  const resolved = resolveOptions(options);
  const { settings, maxReaders, lockTimeoutMs, waitForPrimaryMs, openTimeoutMs, clock, logger } = resolved;
  let tamperEvident = resolved.tamperEvident;
  const link = new PrimaryLink({
    settings,
    maxReaders,
    lockTimeoutMs,
    waitForPrimaryMs,
    clock,
    logger,
    async prepare({ writer }) {
      if (role === 'source') await requireExisting(writer, resolved.schema);
      else await migrate(writer, resolved.schema);
      const identity = await readIdentity(writer, resolved.schema);
      if (role === 'target') await alignChains(writer, resolved.schema, identity, tamperEvident);
      else {
        tamperEvident = identity.chainStart !== null;
        // All reads of a source see the moment of the first one.
        await writer.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      }
    },
  });
  try {
    await link.open(openTimeoutMs);
  } catch (error) {
    link.close();
    throw error;
  }
  const read = role === 'source' ? readInTransaction(link) : createQueryRunner(link, clock);
  return new PostgresCopy(link, resolved, tamperEvident, read);
}

async function requireExisting(...[client, schema]: Parameters<typeof schemaExists>): Promise<void> {
  if (await schemaExists(client, schema)) return;
  throw invalidArgument('schema', `the database has no store in the schema ${quoteName(schema)}`);
}

/** Reads in the transaction of the session. A new session has another one, which the comparison in the end finds out. */
function readInTransaction(link: PrimaryLink): QueryRunner {
  return async (text, values) => {
    const { writer } = await link.session();
    try {
      return await readRows(writer, { text, values: [...values] });
    } catch (error) {
      throw fromPostgres(error);
    }
  };
}

class PostgresCopy implements StoreCopyTarget {
  readonly tamperEvident: boolean;
  readonly subscriptions: StoreCopyTarget['subscriptions'];
  readonly feedPosition: StoreCopyTarget['feedPosition'];
  readonly saveFeedPosition: StoreCopyTarget['saveFeedPosition'];
  readonly #link: PrimaryLink;
  readonly #options: ResolvedOptions;
  readonly #schema: string;
  readonly #read: QueryRunner;
  readonly #write: StatementWriter;
  readonly #reader: EventReader;

  constructor(link: PrimaryLink, options: ResolvedOptions, tamperEvident: boolean, read: QueryRunner) {
    this.tamperEvident = tamperEvident;
    this.#link = link;
    this.#options = options;
    this.#schema = quoteName(options.schema);
    this.#read = read;
    this.#write = createStatementWriter(link);
    this.#reader = new EventReader(options.storeId, this.#schema, this.#read);
    this.subscriptions = createSubscriptionState(this.#schema, this.#read, this.#write);
    const checkpoint = createFeedCheckpoint(this.#schema, this.#read, this.#write);
    this.feedPosition = () => checkpoint.load();
    this.saveFeedPosition = (position) => checkpoint.save(position);
  }

  newestPosition(): Promise<number> {
    return this.#reader.newestPosition();
  }

  async readAfter(position: number): Promise<readonly RecordedEvent[]> {
    return (await this.#reader.ofStore(position, PAGE)).events;
  }

  async hiddenStreams(after: string): Promise<readonly HiddenStream[]> {
    const rows = await this.#read<readonly [name: string, hiddenThrough: number]>(
      `SELECT name, hidden_through FROM ${this.#schema}.streams
       WHERE hidden_through >= 0 AND name > $1 ORDER BY name LIMIT $2`,
      [after, PAGE],
    );
    return rows.map(([streamId, hiddenThrough]) => ({ streamId, hiddenThrough }));
  }

  async snapshots(...[after]: Parameters<StoreCopyTarget['snapshots']>): Promise<readonly StoredSnapshot[]> {
    const { sourceUuid, streamUuid, version } = after ?? { sourceUuid: '', streamUuid: '', version: -1 };
    type Columns = readonly [string, string, number, string, string, number];
    const rows = await this.#read<Columns>(
      `SELECT source_uuid, stream_uuid, version, record, metadata, epoch_us FROM ${this.#schema}.snapshots
       WHERE (source_uuid, stream_uuid, version) > ($1, $2, $3::bigint)
       ORDER BY source_uuid, stream_uuid, version LIMIT $4`,
      [sourceUuid, streamUuid, version, SNAPSHOTS_PER_PAGE],
    );
    return rows.map(([source, stream, at, record, metadata, epochUs]) => ({
      sourceUuid: source,
      streamUuid: stream,
      version: at,
      record,
      metadata,
      epochUs,
    }));
  }

  async write(events: readonly RecordedEvent[], newest: number): Promise<void> {
    const nowMs = this.#options.clock.now();
    const requests = requestsOf(events, nowMs);
    const values = encodeBatch(requests, nextEpochUs(nowMs, 0), this.tamperEvident, newest);
    const { writer } = await this.#link.session();
    let text: string;
    try {
      const { rows } = await writer.query({ text: batchStatement(this.#schema), values });
      text = String(rows[0]?.answers);
    } catch (error) {
      if (sqlState(error) !== 'EG002') throw fromPostgres(error);
      throw invalidArgument('target', `somebody else writes to the target: ${(error as Error).message}`);
    }
    const isWritten = decodeAnswers(text).every(({ kind }) => kind === 'written');
    const position = await this.newestPosition();
    if (isWritten && position === events.at(-1)?.position) return;
    throw invalidArgument(
      'target',
      `the target did not take the events after position ${newest} as they are`,
    );
  }

  async hide(streams: readonly HiddenStream[]): Promise<void> {
    await this.#write(
      `UPDATE ${this.#schema}.streams SET hidden_through = h.hidden
       FROM unnest($1::text[], $2::bigint[]) AS h (name, hidden) WHERE streams.name = h.name`,
      [streams.map(({ streamId }) => streamId), streams.map(({ hiddenThrough }) => hiddenThrough)],
    );
  }

  async putSnapshots(snapshots: readonly StoredSnapshot[]): Promise<void> {
    const column = <Name extends keyof StoredSnapshot>(name: Name) => snapshots.map((one) => one[name]);
    await this.#write(
      `INSERT INTO ${this.#schema}.snapshots (source_uuid, stream_uuid, version, record, metadata, epoch_us)
       SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::bigint[])
       ON CONFLICT (source_uuid, stream_uuid, version) DO UPDATE
         SET record = excluded.record, metadata = excluded.metadata, epoch_us = excluded.epoch_us`,
      [
        column('sourceUuid'),
        column('streamUuid'),
        column('version'),
        column('record'),
        column('metadata'),
        column('epochUs'),
      ],
    );
  }

  async removeSnapshots(keys: readonly SnapshotKey[]): Promise<void> {
    await this.#write(
      `DELETE FROM ${this.#schema}.snapshots USING unnest($1::text[], $2::text[], $3::bigint[]) AS k (source, stream, at)
       WHERE source_uuid = k.source AND stream_uuid = k.stream AND version = k.at`,
      [
        keys.map(({ sourceUuid }) => sourceUuid),
        keys.map(({ streamUuid }) => streamUuid),
        keys.map(({ version }) => version),
      ],
    );
  }

  async close(): Promise<void> {
    this.#link.close();
  }
}

/** Returns an append for each run of events of one stream, so that the positions follow each other as they did. */
function requestsOf(events: readonly RecordedEvent[], nowMs: number): WriteRequest[] {
  const runs: RecordedEvent[][] = [];
  for (const event of events) {
    const run = runs.at(-1);
    if (run?.[0]?.streamId === event.streamId) run.push(event);
    else runs.push([event]);
  }
  return runs.map((run) => {
    const [first] = run as [RecordedEvent];
    const part: AppendRequest = {
      streamId: first.streamId,
      expectedVersion: first.version - 1,
      events: encodeEvents(run as unknown as readonly NewEvent[], nowMs),
    };
    return { kind: 'append', parts: [part], epochsUs: run.map(({ epochUs }) => epochUs) };
  });
}
