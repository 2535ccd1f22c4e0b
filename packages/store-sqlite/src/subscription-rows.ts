import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { isFurther, parseFeedPosition } from '@esdb-gater/primitives';
import type {
  FeedPosition,
  NewSubscription,
  ParkedFilter,
  ParkedRecord,
  ParkedRecords,
  SubscriptionRecord,
} from '@esdb-gater/types';
import { checksum } from './checksum.ts';
import { prepareRows, type RowStatement } from './prepare-rows.ts';
import { damaged } from './sqlite-errors.ts';

type SubscriptionColumns = [id: number, name: string, definition: string, checkpoint: string, sum: number];

type ParkedColumns = [
  replaying: number,
  position: number,
  eventId: string,
  reason: string,
  attempts: number,
  parkedMs: number,
  sum: number,
];

const SELECT = 'SELECT id, name, definition, checkpoint, checksum FROM subscriptions';

interface SubscriptionRow {
  readonly id: number;
  readonly definition: string;
  readonly checkpoint: string;
}

const rowChecksum = (name: string, definition: string, checkpoint: string): number =>
  checksum(`${name}\n${definition}\n${checkpoint}`);

/** The checksum leaves out whether the event is being replayed, which many rows change at once. */
const parkedChecksum = ({ position, eventId, reason, attempts, parkedMs }: ParkedRecord): number =>
  checksum(`${position}\n${eventId}\n${attempts}\n${parkedMs}\n${reason}`);

/** What a definition holds: everything that does not change often. */
type Definition = Omit<NewSubscription, 'name' | 'checkpoint'>;

/** Reads subscriptions and their parked events. */
export class SubscriptionReader {
  readonly #file: string;
  readonly #all: RowStatement<SubscriptionColumns>;
  readonly #one: RowStatement<SubscriptionColumns>;
  readonly #count: RowStatement<[count: number]>;
  readonly #parked: RowStatement<ParkedColumns>;

  constructor(database: DatabaseSync, file: string) {
    this.#file = file;
    // SQLite compares UTF-8 by bytes.
    this.#all = prepareRows(database, `${SELECT} ORDER BY name`);
    this.#one = prepareRows(database, `${SELECT} WHERE name = ?`);
    this.#count = prepareRows(
      database,
      'SELECT count(*) FROM parked_events WHERE subscription = ? AND replaying = 0',
    );
    this.#parked = prepareRows(
      database,
      `SELECT replaying, position, event_id, reason, attempts, parked_ms, checksum FROM parked_events
       WHERE subscription = ? AND replaying = ? AND position > ? ORDER BY position LIMIT ?`,
    );
  }

  list(): SubscriptionRecord[] {
    return this.#all.all().map((row) => this.#record(row));
  }

  load(name: string): SubscriptionRecord | undefined {
    const row = this.#one.get(name);
    return row && this.#record(row);
  }

  listParked(name: string, { replaying, after, limit }: ParkedFilter): ParkedRecords {
    const row = this.#one.get(name);
    if (row === undefined) return { records: [], more: false };
    const rows = this.#parked.all(row[0], replaying ? 1 : 0, after, limit + 1);
    const records = rows.slice(0, limit).map((columns) => this.#parkedRecord(columns));
    return { records, more: rows.length > limit };
  }

  #record([id, name, definition, checkpoint, sum]: SubscriptionColumns): SubscriptionRecord {
    if (rowChecksum(name, definition, checkpoint) !== sum) {
      throw damaged(this.#file, `the subscription ${JSON.stringify(name)} does not match its checksum`);
    }
    const parked = this.#count.get(id)?.[0] ?? 0;
    return {
      ...(JSON.parse(definition) as Definition),
      name,
      checkpoint: parseFeedPosition(JSON.parse(checkpoint)),
      parked,
    };
  }

  #parkedRecord([, position, eventId, reason, attempts, parkedMs, sum]: ParkedColumns): ParkedRecord {
    const record = { position, eventId, reason, attempts, parkedMs };
    if (parkedChecksum(record) === sum) return record;
    throw damaged(this.#file, `the parked event at position ${position} does not match its checksum`);
  }
}

/** Writes subscriptions and their parked events, within a transaction. */
export class SubscriptionWriter {
  readonly #file: string;
  readonly #find: RowStatement<SubscriptionColumns>;
  readonly #insert: StatementSync;
  readonly #update: StatementSync;
  readonly #remove: StatementSync;
  readonly #park: StatementSync;
  readonly #unpark: StatementSync;
  readonly #unparkSome: StatementSync;
  readonly #unparkAfter: StatementSync;
  readonly #markSome: StatementSync;
  readonly #markOne: StatementSync;

  constructor(database: DatabaseSync, file: string) {
    this.#file = file;
    this.#find = prepareRows(database, `${SELECT} WHERE name = ?`);
    this.#insert = database.prepare(
      'INSERT INTO subscriptions (name, definition, checkpoint, checksum) VALUES (?, ?, ?, ?)',
    );
    this.#update = database.prepare(
      'UPDATE subscriptions SET definition = ?, checkpoint = ?, checksum = ? WHERE id = ?',
    );
    this.#remove = database.prepare('DELETE FROM subscriptions WHERE id = ?');
    this.#park = database.prepare(
      `INSERT INTO parked_events
         (subscription, replaying, position, event_id, reason, attempts, parked_ms, checksum)
       VALUES (?, 0, ?, ?, ?, ?, ?, ?)`,
    );
    const some = `(SELECT position FROM parked_events WHERE subscription = ?1 AND replaying = ?2 LIMIT ?3)`;
    this.#unpark = database.prepare(
      'DELETE FROM parked_events WHERE subscription = ? AND replaying IN (0, 1) AND position = ?',
    );
    this.#unparkSome = database.prepare(
      `DELETE FROM parked_events WHERE subscription = ?1 AND replaying = ?2 AND position IN ${some}`,
    );
    this.#unparkAfter = database.prepare(
      'DELETE FROM parked_events WHERE subscription = ? AND replaying IN (0, 1) AND position > ?',
    );
    this.#markSome = database.prepare(
      `UPDATE parked_events SET replaying = 1
       WHERE subscription = ?1 AND replaying = ?2 AND position IN ${some}`,
    );
    this.#markOne = database.prepare(
      'UPDATE parked_events SET replaying = 1 WHERE subscription = ? AND replaying = 0 AND event_id = ?',
    );
  }

  create({ name, checkpoint, ...definition }: NewSubscription): boolean {
    if (this.#find.get(name) !== undefined) return false;
    const texts = [JSON.stringify(definition), JSON.stringify(checkpoint)] as const;
    this.#insert.run(name, ...texts, rowChecksum(name, ...texts));
    return true;
  }

  saveCheckpoint(name: string, position: FeedPosition): void {
    const row = this.#row(name);
    if (row === undefined || !isFurther(position, parseFeedPosition(JSON.parse(row.checkpoint)))) return;
    this.#put(name, row.id, row.definition, position);
  }

  reset(name: string, startFrom: number | 'latest', checkpoint: FeedPosition): void {
    const row = this.#row(name);
    if (row === undefined) return;
    const definition = { ...(JSON.parse(row.definition) as Definition), startFrom };
    this.#put(name, row.id, JSON.stringify(definition), checkpoint);
    this.#unparkAfter.run(row.id, checkpoint.position);
  }

  /**
   * Removes up to so many parked events, and the subscription itself once none is left. Returns undefined when the
   * subscription does not exist, and whether it is removed.
   */
  remove(name: string, most: number): boolean | undefined {
    const row = this.#row(name);
    if (row === undefined) return undefined;
    for (const replaying of [0, 1]) {
      if (Number(this.#unparkSome.run(row.id, replaying, most).changes) >= most) return false;
    }
    this.#remove.run(row.id);
    return true;
  }

  park(name: string, record: ParkedRecord): void {
    const row = this.#row(name);
    if (row === undefined) return;
    const { position, eventId, reason, attempts, parkedMs } = record;
    this.#unpark.run(row.id, position);
    this.#park.run(row.id, position, eventId, reason, attempts, parkedMs, parkedChecksum(record));
  }

  /** Marks those with the ids, or up to so many of all. Returns how many were marked. */
  markReplay(name: string, eventIds: readonly string[] | undefined, most: number): number {
    const row = this.#row(name);
    if (row === undefined) return 0;
    if (eventIds === undefined) return Number(this.#markSome.run(row.id, 0, most).changes);
    let count = 0;
    for (const id of eventIds) count += Number(this.#markOne.run(row.id, id).changes);
    return count;
  }

  unpark(name: string, positions: readonly number[]): void {
    const row = this.#row(name);
    if (row === undefined) return;
    for (const position of positions) this.#unpark.run(row.id, position);
  }

  #row(name: string): SubscriptionRow | undefined {
    const row = this.#find.get(name);
    if (row === undefined) return undefined;
    const [id, , definition, checkpoint, sum] = row;
    if (rowChecksum(name, definition, checkpoint) === sum) return { id, definition, checkpoint };
    throw damaged(this.#file, `the subscription ${JSON.stringify(name)} does not match its checksum`);
  }

  #put(name: string, id: number, definition: string, checkpoint: FeedPosition): void {
    const text = JSON.stringify(checkpoint);
    this.#update.run(definition, text, rowChecksum(name, definition, text), id);
  }
}
