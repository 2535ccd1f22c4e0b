import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { HiddenStream, SnapshotKey, StoreCopySource, StoredSnapshot } from '@esdb-gater/event-store';
import { GaterError, LIMITS, type RecordedEvent, type StorePage } from '@esdb-gater/types';
import { checkSchema } from './check-schema.ts';
import { EventPages } from './event-pages.ts';
import { defineFunctions } from './event-row.ts';
import { readChainStart, readFeedPosition } from './meta.ts';
import { prepareRows } from './prepare-rows.ts';
import { SCHEMA } from './schema.ts';
import { SnapshotReader } from './snapshot-rows.ts';
import { fromSqlite } from './sqlite-errors.ts';
import { SubscriptionReader } from './subscription-rows.ts';

const PAGE = LIMITS.pageCount;

/** How long a read waits for another program's lock. */
const BUSY_TIMEOUT_MS = 5_000;

/**
 * Opens the database of a store to copy all of it, as it is at this moment, whether a gateway serves it or not. Nothing is
 * written to it.
 *
 * @throws `unavailable` when the file does not exist, or belongs to another program or release
 */
export function openSqliteCopySource(file: string): StoreCopySource {
  const path = resolve(file);
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) {
    throw new GaterError('unavailable', `the file ${path} does not exist`);
  }
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
    checkSchema(database, SCHEMA, path);
    defineFunctions(database);
    // All reads see the moment of the first one.
    database.exec('BEGIN');
    return createSource(database, path);
  } catch (error) {
    database?.close();
    throw fromSqlite(error, path);
  }
}

function createSource(database: DatabaseSync, file: string): StoreCopySource {
  const pages = new EventPages(database, '', file);
  const subscriptions = new SubscriptionReader(database, file);
  const snapshots = new SnapshotReader(database, file);
  const newest = prepareRows<[position: number | null]>(database, 'SELECT max(position) FROM events').get();
  const newestPosition = newest?.[0] ?? 0;
  const hidden = prepareRows<[name: string, hiddenThrough: number]>(
    database,
    'SELECT name, hidden_through FROM streams WHERE hidden_through >= 0 AND name > ? ORDER BY name LIMIT ?',
  );
  const keys = prepareRows<[source: string, stream: string, version: number]>(
    database,
    `SELECT source_uuid, stream_uuid, version FROM snapshots
     WHERE (source_uuid, stream_uuid, version) > (?, ?, ?) ORDER BY source_uuid, stream_uuid, version LIMIT ?`,
  );
  /** Damage that a read finds is told as everywhere. */
  const reading = async <Result>(read: () => Result): Promise<Result> => {
    try {
      return read();
    } catch (error) {
      throw fromSqlite(error, file);
    }
  };
  return {
    tamperEvident: readChainStart(database, file) !== undefined,
    newestPosition: async () => newestPosition,
    readAfter: (position) =>
      reading((): readonly RecordedEvent[] => {
        const page = JSON.parse(pages.ofStore(position, PAGE, newestPosition)) as StorePage;
        return page.events;
      }),
    hiddenStreams: (after) =>
      reading(() =>
        hidden
          .all(after, PAGE)
          .map(([streamId, hiddenThrough]): HiddenStream => ({ streamId, hiddenThrough })),
      ),
    snapshots: (after) =>
      reading(() => {
        const { sourceUuid, streamUuid, version }: SnapshotKey = after ?? FIRST_KEY;
        const found = keys.all(sourceUuid, streamUuid, version, SNAPSHOTS_PER_PAGE);
        return found.map((key) => snapshots.find(...key) as StoredSnapshot);
      }),
    subscriptions: {
      list: () => reading(() => subscriptions.list()),
      listParked: (name, filter) => reading(() => subscriptions.listParked(name, filter)),
    },
    feedPosition: () => reading(() => readFeedPosition(database, file)),
    async close() {
      database.close();
    },
  };
}

/** Before every key. */
const FIRST_KEY: SnapshotKey = { sourceUuid: '', streamUuid: '', version: -1 };

/** Each may have a MiB. */
const SNAPSHOTS_PER_PAGE = 20;
