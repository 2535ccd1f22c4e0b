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
  LIMITS,
  RawJson,
  type StorePage,
  type StreamNames,
  type StreamPage,
} from '@esdb-gater/types';
import { decodeFields, type PageColumns, type PageForm, selectPage } from './event-rows.ts';
import type { QueryRunner } from './query-runner.ts';

/** Look-ups of a search before it pauses, so that no statement takes long. */
const LOOKUPS = 20_000;

type StreamColumns = readonly [version: number, hiddenThrough: number, ...page: PageColumns];
type StoreColumns = readonly [newest: number, ...page: PageColumns];
type QueryColumns = readonly [matches: number, reached: number, state: string, ...page: PageColumns];

const NO_PAGE: PageColumns = [0, null, null, null, null, null];
const MISSING: StreamColumns = [-1, -1, ...NO_PAGE];
const EMPTY: StoreColumns = [0, ...NO_PAGE];
const NO_MATCH: QueryColumns = [0, 0, 'end', ...NO_PAGE];

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
  readonly #pages: Readonly<Record<PageForm, ReturnType<typeof pageStatements>>>;

  /** @param schema as SQL */
  constructor(storeId: string, schema: string, run: QueryRunner) {
    this.#storeId = storeId;
    this.#run = run;
    this.#sql = statements(schema);
    this.#pages = {
      json: pageStatements(storeId, schema, 'json'),
      fields: pageStatements(storeId, schema, 'fields'),
    };
  }

  async ofStream(read: StreamRead, context?: CallContext): Promise<StreamPage> {
    const { streamId, backward, startVersion, count } = read;
    const form = formFor(context);
    const sql = backward ? this.#pages[form].backward : this.#pages[form].forward;
    const start = backward && startVersion === -1 ? Number.MAX_SAFE_INTEGER : startVersion;
    const rows = await this.#run<StreamColumns>(sql, [streamId, start, count], context);
    const [version, hiddenThrough, ...page] = rows[0] ?? MISSING;
    const range = readableRange(read, { version, hiddenThrough });
    const [found, , , lowest, highest, events] = page;
    const first = backward ? range.highest : range.lowest;
    const isEmpty = range.lowest > range.highest;
    if (!isEmpty) this.#checkDense(first, backward ? highest : lowest, found, lowest, highest, 'version');
    const last = backward ? lowest : highest;
    const next = isEmpty || last === null ? undefined : nextVersion(read, range, last);
    return this.#page(form, events, next === undefined ? { version } : { version, next }, streamId);
  }

  async ofStore(after: number, limit: number, context?: CallContext): Promise<StorePage> {
    const form = formFor(context);
    const rows = await this.#run<StoreColumns>(this.#pages[form].all, [after, limit], context);
    const [newest, count, first, last, , , events] = rows[0] ?? EMPTY;
    if (newest > after) this.#checkDense(after + 1, first, count, first, last, 'position');
    const isEnd = last === null || last === newest;
    return this.#page(form, events, isEnd ? { lastPosition: newest } : { lastPosition: last, next: last });
  }

  async ofQuery(query: EventQuery, after: number, limit: number, context?: CallContext): Promise<StorePage> {
    const form = formFor(context);
    const items = JSON.stringify(query.items);
    const texts: string[] = [];
    let length = 0;
    let count = 0;
    let last = 0;
    for (let reached = after; ; ) {
      // One more than wanted tells whether there is another page.
      const wanted = limit - count;
      const values = [items, reached, wanted + 1, LOOKUPS, wanted];
      const [row] = await this.#run<QueryColumns>(this.#pages[form].query, values, context);
      const [matches, upTo, state, found, , lastFound, , , events] = row ?? NO_MATCH;
      if (events !== null) texts.push(events);
      length += events?.length ?? 0;
      count += found;
      last = lastFound ?? last;
      const text = texts.join(',');
      if (found < matches || state === 'full')
        return this.#page(form, text, { lastPosition: last, next: last });
      if (state === 'end') return this.#page(form, text, { lastPosition: upTo });
      // Paused: up to there everything was searched.
      if (length >= LIMITS.pageBytes / 2) return this.#page(form, text, { lastPosition: upTo, next: upTo });
      reached = upTo;
    }
  }

  /** Checks a condition outside of the transaction that writes. */
  async checkCondition(query: EventQuery, after: number, context?: CallContext): Promise<ConditionProgress> {
    const items = JSON.stringify(query.items);
    const [row] = await this.#run<readonly [match: number | null, reached: number]>(
      this.#sql.condition,
      [items, after, LOOKUPS],
      context,
    );
    const [match, reached] = row ?? [null, after];
    return match === null ? { after: reached } : { after, match };
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
    const values = [after, prefix, limit + 1];
    const end = prefixEnd(prefix);
    const rows = await (end === undefined
      ? this.#run<readonly [name: string]>(this.#sql.names, values, context)
      : this.#run<readonly [name: string]>(this.#sql.namesBefore, [...values, end], context));
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

  /**
   * Returns a page: as text to a caller that asked for JSON.
   *
   * @param rest the members after the events
   */
  #page<Rest extends object>(
    form: PageForm,
    events: string | null,
    rest: Rest,
    streamId?: string,
  ): Rest & Pick<StorePage, 'events'> {
    if (form === 'fields') return { events: decodeFields(events, this.#storeId, streamId), ...rest };
    const text = `{"events":[${events ?? ''}],${JSON.stringify(rest).slice(1)}`;
    return new RawJson(text) as unknown as Rest & Pick<StorePage, 'events'>;
  }

  /** Versions and positions have no gaps: a missing row is damage, and fails the read instead of being skipped. */
  #checkDense(
    expected: number,
    found: number | null,
    count: number,
    lowest: number | null,
    highest: number | null,
    what: string,
  ): void {
    if (found === expected && count === (highest ?? 0) - (lowest ?? 0) + 1) return;
    throw new GaterError('internal', `the database is damaged: a ${what} from ${expected} on is missing`);
  }
}

const formFor = (context: CallContext | undefined): PageForm =>
  context?.asJson === true ? 'json' : 'fields';

/** Returns the version of a stream in SQL. */
const versionIn = (schema: string): string =>
  `coalesce((SELECT max(version) FROM ${schema}.events WHERE stream = streams.id), -1)`;

const newestIn = (schema: string): string =>
  `SELECT coalesce(max(position), 0) AS newest FROM ${schema}.events`;

/**
 * Returns the statements that read pages. Versions and positions have no gaps, so a page is a range of them: its cost does
 * not depend on how much follows it, whatever plan the server chooses.
 */
function pageStatements(storeId: string, schema: string, form: PageForm) {
  const pageOf = (where: string, order: string): string =>
    selectPage({ storeId, schema, form, source: { where, order } });
  const ofStream = (where: string, order: string): string =>
    `SELECT s.version, s.hidden_through, p.* FROM (
       SELECT id, name, hidden_through, ${versionIn(schema)} AS version FROM ${schema}.streams WHERE name = $1
     ) s CROSS JOIN LATERAL (${selectPage({
       storeId,
       schema,
       form,
       source: { where: `e.stream = s.id AND e.version > s.hidden_through AND ${where}`, order },
       streamName: 's.name',
     })}) p`;
  const first = 'greatest($2::bigint, s.hidden_through + 1)';
  const last = 'least($2::bigint, s.version)';
  return {
    forward: ofStream(`e.version >= ${first} AND e.version < ${first} + $3::bigint`, 'e.version'),
    backward: ofStream(`e.version <= ${last} AND e.version > ${last} - $3::bigint`, 'e.version DESC'),
    all: `SELECT n.newest, p.* FROM (${newestIn(schema)}) n CROSS JOIN LATERAL (${pageOf(
      'e.position > $1::bigint AND e.position <= least(n.newest, $1::bigint + $2::bigint)',
      'e.position',
    )}) p`,
    query: `SELECT least(cardinality(f.positions), $5), f.reached, f.state, p.* FROM (${newestIn(schema)}) n
      CROSS JOIN LATERAL ${schema}.find_matches($1::jsonb, $2, n.newest, $3, $4) f
      CROSS JOIN LATERAL (${pageOf('e.position = ANY (f.positions[:$5])', 'e.position')}) p`,
  };
}

/** Returns the other statements. */
function statements(schema: string) {
  const version = versionIn(schema);
  const names = (before: string): string =>
    `SELECT name FROM ${schema}.streams WHERE name > $1 AND name >= $2 ${before}
       AND (hidden_through < 0 OR hidden_through < ${version}) ORDER BY name LIMIT $3`;
  return {
    condition: `SELECT f.positions[1], f.reached FROM (${newestIn(schema)}) n
      CROSS JOIN LATERAL ${schema}.find_matches($1::jsonb, $2, n.newest, 1, $3) f`,
    state: `SELECT ${version}, hidden_through FROM ${schema}.streams WHERE name = $1`,
    versionAt: `SELECT ${schema}.version_at(id, ${version}, $2) FROM ${schema}.streams WHERE name = $1`,
    names: names(''),
    namesBefore: names('AND name < $4'),
    newest: newestIn(schema),
  };
}
