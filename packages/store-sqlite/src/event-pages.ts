import type { DatabaseSync, StatementSync } from 'node:sqlite';
import {
  type Match,
  nextVersion,
  QueryMatches,
  type StreamRead,
  type VersionRange,
} from '@esdb-gater/event-store';
import { GenerationMap } from '@esdb-gater/primitives';
import type { EventQuery } from '@esdb-gater/types';
import { type EventRow, READ_COLUMNS, readEventRow, type StreamPart, streamPart } from './event-row.ts';
import { PageText } from './page-text.ts';
import { PositionLists } from './position-lists.ts';
import { prepareRows, type RowStatement } from './prepare-rows.ts';
import type { QueryRead } from './query-pages.ts';
import { damaged } from './sqlite-errors.ts';
import type { StreamRow } from './stream-rows.ts';

/** Rows per query. A page limited by bytes should not load many rows that it cannot return. */
const ROWS_PER_QUERY = 100;

/** The number of streams whose JSON prefix is cached for reads of the whole store. */
const CACHED_PARTS = 20_000;

/**
 * Reads pages of events as JSON text: one string crosses the thread boundary and one `JSON.parse` decodes it.
 *
 * Versions and positions have no gaps. A missing row means a damaged index and fails the read instead of being skipped.
 */
export class EventPages {
  readonly #storeId: string;
  readonly #file: string;
  readonly #forward: RowStatement<EventRow>;
  readonly #backward: RowStatement<EventRow>;
  readonly #all: RowStatement<EventRow>;
  readonly #one: RowStatement<EventRow>;
  readonly #nameOf: StatementSync;
  readonly #lists: PositionLists;
  readonly #parts = new GenerationMap<number, StreamPart>(CACHED_PARTS);

  constructor(database: DatabaseSync, storeId: string, file: string) {
    const prepare = (rest: string): RowStatement<EventRow> =>
      prepareRows(database, `SELECT ${READ_COLUMNS} FROM events ${rest}`);
    this.#storeId = storeId;
    this.#file = file;
    this.#forward = prepare('WHERE stream = ? AND version BETWEEN ? AND ? ORDER BY version LIMIT ?');
    this.#backward = prepare('WHERE stream = ? AND version BETWEEN ? AND ? ORDER BY version DESC LIMIT ?');
    this.#all = prepare('WHERE position BETWEEN ? AND ? ORDER BY position LIMIT ?');
    this.#one = prepare('WHERE position = ?');
    this.#lists = new PositionLists(database);
    this.#nameOf = database.prepare('SELECT name FROM streams WHERE id = ?');
  }

  /** Returns the JSON of a `StreamPage`. */
  ofStream(read: StreamRead, range: VersionRange, stream: StreamRow): string {
    const step = read.backward ? -1 : 1;
    const statement = read.backward ? this.#backward : this.#forward;
    const rows = (done: number, limit: number): EventRow[] => {
      const lowest = read.backward ? range.lowest : range.lowest + done;
      const highest = read.backward ? range.highest - done : range.highest;
      return statement.all(stream.id, lowest, highest, limit);
    };
    const first = read.backward ? range.highest : range.lowest;
    const available = Math.max(0, range.highest - range.lowest + 1);
    const part = streamPart(this.#storeId, read.streamId);
    const page = this.#collect(Math.min(read.count, available), rows, (row, index) => {
      this.#checkNext(row[2], first + index * step, `a version of ${JSON.stringify(read.streamId)}`);
      return part;
    });
    const next = page.count === 0 ? undefined : nextVersion(read, range, first + (page.count - 1) * step);
    return page.close(`"version":${stream.version}${next === undefined ? '' : `,"next":${next}`}`);
  }

  /** Returns the JSON of a `StorePage`. */
  ofStore(after: number, limit: number, newest: number): string {
    const available = Math.max(0, newest - after);
    const rows = (done: number, count: number): EventRow[] => this.#all.all(after + done + 1, newest, count);
    const page = this.#collect(Math.min(limit, available), rows, (row, index) => {
      this.#checkNext(row[0], after + index + 1, 'a position');
      return this.#partOf(row[1]);
    });
    const last = after + page.count;
    if (page.count === 0 || last === newest) return page.close(`"lastPosition":${newest}`);
    return page.close(`"lastPosition":${last},"next":${last}`);
  }

  /** Returns the JSON of a `QueryPart`. */
  ofQuery({ query, after, limit, bytes }: QueryRead, newest: number): string {
    const matches = new QueryMatches(query, this.#lists);
    const page = new PageText(bytes);
    const close = (state: string, reached: number): string =>
      page.close(`"state":"${state}","reached":${reached},"bytes":${page.bytes}`);
    let from = after + 1;
    while (from <= newest) {
      const { position, found } = matches.next(from);
      if (position > newest) break;
      if (!found) return close('paused', position - 1);
      if (page.count === limit) return close('more', from - 1);
      const row = this.#one.get(position);
      if (row === undefined) throw damaged(this.#file, `position ${position} is missing`);
      const stream = this.#partOf(row[1]);
      if (!page.add(stream, readEventRow(row, stream, this.#file), row[3])) return close('more', from - 1);
      from = position + 1;
    }
    return close('end', newest);
  }

  /** Searches the first match of a query after a position; see `Match`. */
  firstMatch(query: EventQuery, after: number): Match {
    return new QueryMatches(query, this.#lists).next(after + 1);
  }

  #collect(
    wanted: number,
    rows: (done: number, limit: number) => EventRow[],
    streamOf: (row: EventRow, index: number) => StreamPart,
  ): PageText {
    const page = new PageText();
    while (page.count < wanted) {
      const batch = rows(page.count, Math.min(ROWS_PER_QUERY, wanted - page.count));
      if (batch.length === 0) throw damaged(this.#file, 'events are missing from an index');
      for (const row of batch) {
        const stream = streamOf(row, page.count);
        if (!page.add(stream, readEventRow(row, stream, this.#file), row[3])) return page;
      }
    }
    return page;
  }

  #partOf(id: number): StreamPart {
    const cached = this.#parts.get(id);
    if (cached !== undefined) return cached;
    const name = this.#nameOf.get(id)?.['name'];
    if (typeof name !== 'string') throw damaged(this.#file, `stream ${id} is missing`);
    const part = streamPart(this.#storeId, name);
    this.#parts.set(id, part);
    return part;
  }

  #checkNext(found: number, expected: number, what: string): void {
    if (found === expected) return;
    throw damaged(this.#file, `${what} is missing: expected ${expected}, got ${found}`);
  }
}
