import type { DatabaseSync, StatementSync } from 'node:sqlite';
import {
  isReadable,
  MISSING_STREAM,
  prefixEnd,
  readableRange,
  type StreamRead,
  type StreamState,
  snapshotNotFound,
  snapshotPageText,
  snapshotText,
  streamNotFound,
  versionUpTo,
} from '@esdb-gater/event-store';
import type { StreamNames } from '@esdb-gater/types';
import { type ChainCheck, type ChainState, ChainVerifier } from './chain-verifier.ts';
import type { KnownCondition } from './conditions.ts';
import { EventPages } from './event-pages.ts';
import { readFeedPosition } from './meta.ts';
import { prepareRows, type RowStatement } from './prepare-rows.ts';
import { SnapshotReader } from './snapshot-rows.ts';
import { damaged } from './sqlite-errors.ts';
import { checkStreamRow, StreamRows } from './stream-rows.ts';
import { SubscriptionReader } from './subscription-rows.ts';
import type { CallOf, ReaderCalls, ResultOf } from './thread-messages.ts';

/** Runs the calls that read. Events and snapshots are returned as JSON text. */
export class Reader {
  readonly #database: DatabaseSync;
  readonly #file: string;
  readonly #streams: StreamRows;
  readonly #pages: EventPages;
  readonly #chains: ChainVerifier;
  readonly #snapshots: SnapshotReader;
  readonly #subscriptions: SubscriptionReader;
  readonly #names: StatementSync;
  readonly #timeOf: RowStatement<[epochUs: number]>;
  readonly #newest: StatementSync;

  constructor(database: DatabaseSync, storeId: string, file: string) {
    this.#database = database;
    this.#file = file;
    this.#streams = new StreamRows(database, file);
    this.#pages = new EventPages(database, storeId, file);
    this.#chains = new ChainVerifier(database, file);
    this.#snapshots = new SnapshotReader(database, file);
    this.#subscriptions = new SubscriptionReader(database, file);
    // SQLite compares UTF-8 by bytes. Streams that were never deleted, nearly all, skip the subquery.
    this.#names = database.prepare(
      `SELECT id, name, hidden_through, checksum FROM streams
       WHERE name > ? AND name >= ? AND (? IS NULL OR name < ?) AND (hidden_through < 0
         OR hidden_through < (SELECT max(version) FROM events WHERE stream = streams.id))
       ORDER BY name LIMIT ?`,
    );
    this.#timeOf = prepareRows(
      database,
      'SELECT CAST(epoch_us AS REAL) FROM events WHERE stream = ? AND version = ?',
    );
    this.#newest = database.prepare('SELECT max(position) AS position FROM events');
  }

  perform(call: CallOf<ReaderCalls>): ResultOf<ReaderCalls> {
    switch (call[1]) {
      case 'getEvents':
        return this.#getEvents(call[2]);
      case 'getVersion':
        return this.#state(call[2]).version;
      case 'versionAt':
        return this.#versionAt(call[2], call[3]);
      case 'verifyStream':
        return this.#verifyStream(call[2], call[3]);
      case 'streamExists':
        return isReadable(this.#state(call[2]));
      case 'getStreams': {
        const [, , prefix, after, limit] = call;
        return this.#getStreams(prefix, after, limit);
      }
      case 'readAll': {
        const [, , after, limit] = call;
        return this.#pages.ofStore(after, limit, this.#newestPosition());
      }
      case 'queryEvents':
        return this.#pages.ofQuery(call[2], this.#newestPosition());
      case 'checkCondition':
        return this.#checkCondition(call[2]);
      case 'readSnapshot': {
        const [, , sourceUuid, streamUuid, version] = call;
        return this.#readSnapshot(sourceUuid, streamUuid, version);
      }
      case 'listSnapshots': {
        const [, , sourceUuid, streamUuid, { highest, count }] = call;
        return snapshotPageText(this.#snapshots.newestFirst(sourceUuid, streamUuid, highest), count);
      }
      case 'loadCheckpoint':
        return readFeedPosition(this.#database, this.#file);
      case 'listSubscriptions':
        return this.#subscriptions.list();
      case 'loadSubscription':
        return this.#subscriptions.load(call[2]);
      case 'listParked':
        return this.#subscriptions.listParked(call[2], call[3]);
      case 'ping':
        return this.#newestPosition() >= 0;
    }
  }

  close(): void {
    this.#database.close();
  }

  // Needs no transaction: events never change or vanish, so a commit in between does not affect the events up to the
  // version or position that was read first.
  #getEvents(read: StreamRead): string {
    const stream = this.#streams.find(read.streamId);
    const range = readableRange(read, stream ?? MISSING_STREAM);
    return this.#pages.ofStream(read, range, stream as NonNullable<typeof stream>);
  }

  #versionAt(name: string, epochUs: number): number {
    const stream = this.#streams.find(name);
    if (stream === undefined) return MISSING_STREAM.version;
    return versionUpTo(stream.version, epochUs, (version) => {
      const row = this.#timeOf.get(stream.id, version);
      if (row === undefined)
        throw damaged(this.#file, `version ${version} of ${JSON.stringify(name)} is missing`);
      return row[0];
    });
  }

  #verifyStream(name: string, state: ChainState | undefined): ChainCheck {
    const stream = this.#streams.find(name);
    if (stream === undefined) throw streamNotFound(name);
    return this.#chains.check(stream, name, state);
  }

  #checkCondition({ query, after }: KnownCondition): KnownCondition {
    const newest = this.#newestPosition();
    const { position, found } = this.#pages.firstMatch(query, after);
    return found ? { query, after, match: position } : { query, after: Math.min(position - 1, newest) };
  }

  #newestPosition(): number {
    return Number(this.#newest.get()?.['position'] ?? 0);
  }

  #state(name: string): StreamState {
    return this.#streams.find(name) ?? MISSING_STREAM;
  }

  #getStreams(prefix: string, after: string, limit: number): StreamNames {
    const end = prefixEnd(prefix) ?? null;
    const streams = this.#names.all(after, prefix, end, end, limit + 1).map((row) => {
      const { id, name, hidden_through: hiddenThrough, checksum } = row;
      checkStreamRow(Number(id), String(name), Number(hiddenThrough), Number(checksum), this.#file);
      return String(name);
    });
    if (streams.length <= limit) return { streams };
    streams.pop();
    return { streams, next: streams.at(-1) as string };
  }

  #readSnapshot(sourceUuid: string, streamUuid: string, version: number | undefined): string {
    const found = this.#snapshots.find(sourceUuid, streamUuid, version);
    if (found === undefined) throw snapshotNotFound(sourceUuid, streamUuid, version);
    return snapshotText(found);
  }
}
