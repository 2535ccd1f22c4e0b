import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { nextVersion, type StreamRead, type VersionRange } from '@esdb-gater/event-store';
import { EVENT_COLUMNS, type EventRow, readEventRow } from './event-row.ts';
import { GenerationCache } from './generation-cache.ts';
import { PageText } from './page-text.ts';
import { damaged } from './sqlite-errors.ts';
import type { StreamRow } from './stream-rows.ts';

/** Rows of one query: a page of large events must not be loaded whole before it is seen to be full. */
const ROWS_PER_QUERY = 100;

/** Stream names by id, for reads of the whole store. */
const CACHED_NAMES = 20_000;

/**
 * Pages of events as JSON text, put together here so that one string crosses the threads and one `JSON.parse` reads
 * it.
 *
 * Neither in a stream nor in the store has the file holes: a row that is not the next one is a damaged index, and
 * refused rather than skipped.
 */
export class EventPages {
  readonly #storeId: string;
  readonly #file: string;
  readonly #forward: StatementSync;
  readonly #backward: StatementSync;
  readonly #all: StatementSync;
  readonly #nameOf: StatementSync;
  readonly #names = new GenerationCache<number, string>(CACHED_NAMES);

  constructor(database: DatabaseSync, storeId: string, file: string) {
    const prepare = (rest: string): StatementSync => {
      const statement = database.prepare(`SELECT ${EVENT_COLUMNS} FROM events ${rest}`);
      statement.setReturnArrays(true);
      return statement;
    };
    this.#storeId = storeId;
    this.#file = file;
    this.#forward = prepare('WHERE stream = ? AND version BETWEEN ? AND ? ORDER BY version LIMIT ?');
    this.#backward = prepare('WHERE stream = ? AND version BETWEEN ? AND ? ORDER BY version DESC LIMIT ?');
    this.#all = prepare('WHERE position BETWEEN ? AND ? ORDER BY position LIMIT ?');
    this.#nameOf = database.prepare('SELECT name FROM streams WHERE id = ?');
  }

  /** The JSON of a `StreamPage`. */
  ofStream(read: StreamRead, range: VersionRange, stream: StreamRow): string {
    const step = read.backward ? -1 : 1;
    const statement = read.backward ? this.#backward : this.#forward;
    const rows = (done: number, limit: number): EventRow[] => {
      const lowest = read.backward ? range.lowest : range.lowest + done;
      const highest = read.backward ? range.highest - done : range.highest;
      return statement.all(stream.id, lowest, highest, limit) as unknown as EventRow[];
    };
    const first = read.backward ? range.highest : range.lowest;
    const available = Math.max(0, range.highest - range.lowest + 1);
    const page = this.#collect(Math.min(read.count, available), rows, (row, index) => {
      this.#checkNext(row[2], first + index * step, `a version of ${JSON.stringify(read.streamId)}`);
      return read.streamId;
    });
    const next = page.count === 0 ? undefined : nextVersion(read, range, first + (page.count - 1) * step);
    return page.close(`"version":${stream.version}${next === undefined ? '' : `,"next":${next}`}`);
  }

  /** The JSON of a `StorePage`. */
  ofStore(after: number, limit: number, newest: number): string {
    const available = Math.max(0, newest - after);
    const rows = (done: number, count: number): EventRow[] =>
      this.#all.all(after + done + 1, newest, count) as unknown as EventRow[];
    const page = this.#collect(Math.min(limit, available), rows, (row, index) => {
      this.#checkNext(row[0], after + index + 1, 'a position');
      return this.#streamName(row[1]);
    });
    const last = after + page.count;
    if (page.count === 0 || last === newest) return page.close(`"lastPosition":${newest}`);
    return page.close(`"lastPosition":${last},"next":${last}`);
  }

  #collect(
    wanted: number,
    rows: (done: number, limit: number) => EventRow[],
    streamOf: (row: EventRow, index: number) => string,
  ): PageText {
    const page = new PageText(this.#storeId);
    while (page.count < wanted) {
      const batch = rows(page.count, Math.min(ROWS_PER_QUERY, wanted - page.count));
      if (batch.length === 0) throw damaged(this.#file, 'events are missing from an index');
      for (const row of batch) {
        const core = readEventRow(row, streamOf(row, page.count), this.#file);
        if (!page.add(core, row[8])) return page;
      }
    }
    return page;
  }

  #streamName(id: number): string {
    const cached = this.#names.get(id);
    if (cached !== undefined) return cached;
    const name = this.#nameOf.get(id)?.['name'];
    if (typeof name !== 'string') throw damaged(this.#file, `there is no stream ${id}`);
    this.#names.set(id, name);
    return name;
  }

  #checkNext(found: number, expected: number, what: string): void {
    if (found === expected) return;
    throw damaged(this.#file, `${what} is missing: expected was ${expected}, found was ${found}`);
  }
}
