import {
  nextVersion,
  readableRange,
  type StreamRead,
  type StreamState,
  streamNotFound,
} from '@esdb-gater/event-store';
import { prefixEnd } from '@esdb-gater/primitives';
import {
  type CallContext,
  type EventQuery,
  GaterError,
  type StorePage,
  type StreamNames,
  type StreamPage,
} from '@esdb-gater/types';
import { type EventColumns, PageBuilder, selectEvents } from './event-rows.ts';
import type { QueryRunner } from './query-runner.ts';

/** Look-ups of a search before it pauses, so that no statement takes long. */
const LOOKUPS = 20_000;

/** The state of a stream, before the columns of its events. A stream without readable events has one row of nulls. */
type StreamColumns = readonly [version: number, hiddenThrough: number, ...event: EventColumns];
type StoreColumns = readonly [newest: number, ...event: EventColumns];

/** How far a condition was checked. */
export interface ConditionProgress {
  /** The position of the first match. */
  readonly match?: number;
  /** There is no match up to this position. */
  readonly after: number;
}

/** Reads events and streams. Each page is one statement, and so of one moment. */
export class EventReader {
  readonly #storeId: string;
  readonly #run: QueryRunner;
  readonly #sql: ReturnType<typeof statements>;

  /** @param schema as SQL */
  constructor(storeId: string, schema: string, run: QueryRunner) {
    this.#storeId = storeId;
    this.#run = run;
    this.#sql = statements(schema);
  }

  async ofStream(read: StreamRead, context?: CallContext): Promise<StreamPage> {
    const { streamId, backward, startVersion, count } = read;
    const sql = backward ? this.#sql.backward : this.#sql.forward;
    const start = backward && startVersion === -1 ? Number.MAX_SAFE_INTEGER : startVersion;
    const rows = await this.#run<StreamColumns>(sql, [streamId, start, count], context);
    const [version = -1, hiddenThrough = -1] = rows[0] ?? [];
    const range = readableRange(read, { version, hiddenThrough });
    const page = new PageBuilder(this.#storeId);
    const step = backward ? -1 : 1;
    const first = backward ? range.highest : range.lowest;
    for (const [, , ...event] of rows) {
      if (event[0] === null) break;
      this.#checkNext(event[1], first + page.count * step, `a version of ${JSON.stringify(streamId)}`);
      if (!page.add(event)) break;
    }
    if (page.count === 0 && range.lowest <= range.highest) this.#checkNext(-1, first, 'a version');
    const next = page.count === 0 ? undefined : nextVersion(read, range, first + (page.count - 1) * step);
    return page.close(`"version":${version}${next === undefined ? '' : `,"next":${next}`}`, context);
  }

  async ofStore(after: number, limit: number, context?: CallContext): Promise<StorePage> {
    const rows = await this.#run<StoreColumns>(this.#sql.all, [after, limit], context);
    const newest = rows[0]?.[0] ?? 0;
    const page = new PageBuilder(this.#storeId);
    for (const [, ...event] of rows) {
      if (event[0] === null) break;
      this.#checkNext(event[0], after + page.count + 1, 'a position');
      if (!page.add(event)) break;
    }
    const last = after + page.count;
    const isEnd = page.count === 0 || last === newest;
    return page.close(isEnd ? `"lastPosition":${newest}` : `"lastPosition":${last},"next":${last}`, context);
  }

  async ofQuery(query: EventQuery, after: number, limit: number, context?: CallContext): Promise<StorePage> {
    const page = new PageBuilder(this.#storeId);
    const items = JSON.stringify(query.items);
    let reached = after;
    for (;;) {
      const wanted = limit - page.count;
      // One more than wanted tells whether there is another page.
      const rows = await this.#run<
        readonly [positions: readonly number[], reached: number, state: string, ...EventColumns]
      >(this.#sql.query, [items, reached, wanted + 1, LOOKUPS], context);
      const [positions, upTo, state] = rows[0] ?? [[], reached, 'end'];
      let last = 0;
      let added = 0;
      for (const [, , , ...event] of rows) {
        if (event[0] === null || page.count === limit || !page.add(event)) break;
        last = event[0];
        added += 1;
      }
      if (added < positions.length || state === 'full') {
        return page.close(`"lastPosition":${last},"next":${last}`, context);
      }
      if (state === 'end') return page.close(`"lastPosition":${upTo}`, context);
      reached = upTo;
    }
  }

  /** Checks a condition outside of the transaction that writes. */
  async checkCondition(query: EventQuery, after: number, context?: CallContext): Promise<ConditionProgress> {
    const items = JSON.stringify(query.items);
    const [row] = await this.#run<readonly [positions: readonly number[], reached: number]>(
      this.#sql.condition,
      [items, after, LOOKUPS],
      context,
    );
    const [[match] = [], reached = after] = row ?? [];
    return match === undefined ? { after: reached } : { after, match };
  }

  async state(streamId: string, context?: CallContext): Promise<StreamState> {
    const [row] = await this.#run<readonly [version: number, hidden: number]>(
      this.#sql.state,
      [streamId],
      context,
    );
    return { version: row?.[0] ?? -1, hiddenThrough: row?.[1] ?? -1 };
  }

  async versionAt(streamId: string, epochUs: number, context?: CallContext): Promise<number> {
    const [row] = await this.#run<readonly [version: number]>(
      this.#sql.versionAt,
      [streamId, epochUs],
      context,
    );
    return row?.[0] ?? -1;
  }

  async streams(prefix: string, after: string, limit: number, context?: CallContext): Promise<StreamNames> {
    const values = [after, prefix, prefixEnd(prefix) ?? null, limit + 1];
    const rows = await this.#run<readonly [name: string]>(this.#sql.names, values, context);
    const streams = rows.slice(0, limit).map(([name]) => name);
    return rows.length > limit ? { streams, next: streams.at(-1) as string } : { streams };
  }

  async newestPosition(context?: CallContext): Promise<number> {
    const [row] = await this.#run<readonly [newest: number]>(this.#sql.newest, [], context);
    return row?.[0] ?? 0;
  }

  /** @throws `stream_not_found` */
  async existing(streamId: string, context?: CallContext): Promise<StreamState> {
    const state = await this.state(streamId, context);
    if (state.version < 0) throw streamNotFound(streamId);
    return state;
  }

  #checkNext(found: number, expected: number, what: string): void {
    if (found === expected) return;
    throw new GaterError(
      'internal',
      `the database is damaged: ${what} is missing: expected ${expected}, got ${found}`,
    );
  }
}

function statements(schema: string) {
  const version = `coalesce((SELECT max(version) FROM ${schema}.events WHERE stream = streams.id), -1)`;
  const ofStream = (rows: string, order: string): string =>
    `SELECT s.version, s.hidden_through, p.* FROM (
       SELECT id, hidden_through, ${version} AS version FROM ${schema}.streams WHERE name = $1
     ) s LEFT JOIN LATERAL (${selectEvents(
       schema,
       `FROM ${schema}.events e WHERE e.stream = s.id AND e.version > s.hidden_through AND ${rows}
        ORDER BY ${order} LIMIT $3`,
       order,
     )}) p ON true ORDER BY p.${order.slice(2)}`;
  const newest = `SELECT coalesce(max(position), 0) AS newest FROM ${schema}.events`;
  return {
    forward: ofStream('e.version >= $2', 'e.version'),
    backward: ofStream('e.version <= $2', 'e.version DESC'),
    all: `SELECT n.newest, p.* FROM (${newest}) n LEFT JOIN LATERAL (${selectEvents(
      schema,
      `FROM ${schema}.events e WHERE e.position > $1 AND e.position <= n.newest ORDER BY e.position LIMIT $2`,
      'e.position',
    )}) p ON true ORDER BY p.position`,
    query: `SELECT f.positions, f.reached, f.state, p.* FROM (${newest}) n
      CROSS JOIN LATERAL ${schema}.find_matches($1::jsonb, $2, n.newest, $3, $4) f
      LEFT JOIN LATERAL (${selectEvents(
        schema,
        `FROM ${schema}.events e WHERE e.position = ANY (f.positions)`,
        'e.position',
      )}) p ON true ORDER BY p.position`,
    condition: `SELECT f.positions, f.reached FROM (${newest}) n
      CROSS JOIN LATERAL ${schema}.find_matches($1::jsonb, $2, n.newest, 1, $3) f`,
    state: `SELECT ${version}, hidden_through FROM ${schema}.streams WHERE name = $1`,
    versionAt: `SELECT ${schema}.version_at(id, ${version}, $2) FROM ${schema}.streams WHERE name = $1`,
    names: `SELECT name FROM ${schema}.streams WHERE name > $1 AND name >= $2 AND ($3::text IS NULL OR name < $3)
      AND (hidden_through < 0 OR hidden_through < ${version}) ORDER BY name LIMIT $4`,
    newest,
  };
}
