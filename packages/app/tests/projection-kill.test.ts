import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openPostgresStore } from '@esdb-gater/store-postgres';
import { openSqliteStore } from '@esdb-gater/store-sqlite';
import type { EventStore } from '@esdb-gater/types';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { postgresUnavailable, type RunningPostgres, startPostgres } from '../../../tools/postgres/index.ts';
import { type KillRule, runChild } from './support/killed-child.ts';
import type { ProjectionTask } from './support/projection-task.ts';

const IS_FULL = process.env['ESDB_GATER_FAULTS'] === '1';
/** Events and kills of a projection, and of its rebuild. */
const EVENTS = IS_FULL ? 100_000 : 3_000;
const KILLS = IS_FULL ? 40 : 2;
/** Events that are appended while a generation is built next to the live one. */
const MEANWHILE = IS_FULL ? 2_000 : 200;
/** Events of the projection that is killed around its switch, and kills. */
const SWITCH_EVENTS = 1_000;
const SWITCH_KILLS = IS_FULL ? 60 : 2;
const BATCH = 100;
const TIMEOUT_MS = IS_FULL ? 900_000 : 60_000;

type Row = Readonly<Record<string, unknown>>;

/** Where the events and the read model of a projection are. */
interface Place {
  readonly task: Pick<ProjectionTask, 'engine' | 'name' | 'events' | 'model'>;
  /** Runs SQL on the read model. */
  query(sql: string): Promise<readonly Row[]>;
  /** Selects the `name`s of its tables and views. */
  readonly tables: string;
}

interface Engine {
  /** How many processes project at the same time. */
  readonly processes: number;
  /** About how long a process takes from its start to the switch to a generation that is built. */
  readonly startMs: number;
  /** Opens a place whose events store is empty. */
  open(name: string): Promise<Place & { readonly store: EventStore }>;
}

async function placeWith(engine: Engine, name: string, count: number): Promise<Place> {
  const { store, ...place } = await engine.open(name);
  for (let first = 0; first < count; first += 1_000) {
    const events = Array.from({ length: 1_000 }, (_, index) => ({
      id: crypto.randomUUID(),
      type: 'added',
      data: first + index + 1,
    }));
    await store.appendEvents({ storeId: 'default', streamId: `s-${(first / 1_000) % 7}`, events });
  }
  await store.close();
  return place;
}

/** Checks that readers see each event once, and that nothing is left but the live generation, which it returns. */
async function check({ query, tables, task }: Place, events: number): Promise<number> {
  const counts = `SELECT count(*) - count(DISTINCT position) AS doubled,
    ${events} - count(DISTINCT position) AS lost, sum(CASE WHEN n <> position THEN 1 ELSE 0 END) AS wrong FROM applied`;
  expect((await query(counts)).map(numbers)).toEqual([{ doubled: 0, lost: 0, wrong: 0 }]);
  const sums = { events, sum: (events * (events + 1)) / 2 };
  expect((await query('SELECT events, sum FROM sums')).map(numbers)).toEqual([sums]);
  const rows = await query(
    `SELECT generation, is_live, position FROM esdb_gater_projections WHERE name = '${task.name}'`,
  );
  const generation = Number(rows[0]?.['generation']);
  expect(rows.map(numbers)).toEqual([{ generation, is_live: 1, position: events }]);
  const names = (await query(tables)).map(({ name }) => name);
  const own = [`applied`, `applied__${generation}`, 'esdb_gater_projections', 'sums', `sums__${generation}`];
  expect(names).toEqual(own);
  return generation;
}

function numbers(row: Row): Record<string, number> {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, Number(value)]));
}

function project(task: ProjectionTask, kill?: KillRule): Promise<boolean> {
  return runChild('projection-child.ts', JSON.stringify(task), kill);
}

/** Runs a task again and again, each time killed after some commits, then to its end. Returns how many processes were killed. */
async function runKilled(task: ProjectionTask, processes: number): Promise<number> {
  const rounds = Math.ceil(KILLS / processes);
  // The commits of all runs together, and as many for the last run.
  const perRun = Math.floor(EVENTS / BATCH / (processes * (rounds + 1)));
  let killed = 0;
  for (let round = 0; round < rounds; round += 1) {
    const runs = Array.from({ length: processes }, () => {
      const commits = 1 + Math.floor(Math.random() * perRun);
      return project(task, { isTime: (_, lines) => lines >= commits, withinMs: 10 });
    });
    killed += (await Promise.all(runs)).filter(Boolean).length;
  }
  await Promise.all(Array.from({ length: processes }, () => project(task)));
  return killed;
}

function killSuite(engine: Engine): void {
  const common = { batchEvents: BATCH, generation: 1, appended: EVENTS, appendTo: EVENTS };
  let place: Place;
  beforeAll(async () => {
    place = await placeWith(engine, 'sums', EVENTS);
  });

  test(`a projection of ${EVENTS} events that is killed ${KILLS} times applies each event once`, {
    timeout: TIMEOUT_MS,
  }, async ({ annotate }) => {
    const killed = await runKilled({ ...common, ...place.task }, engine.processes);
    expect(killed).toBeGreaterThanOrEqual(KILLS);
    expect(await check(place, EVENTS)).toBe(1);
    await annotate(`${killed} kills, ${EVENTS} events, doubled 0, lost 0`);
  });

  test(`a rebuild next to the live generation, killed ${KILLS} times while events come, applies each event once`, {
    timeout: TIMEOUT_MS,
  }, async ({ annotate }) => {
    const events = EVENTS + MEANWHILE;
    const task = { ...common, ...place.task, generation: 2, appendTo: events };
    const killed = await runKilled(task, engine.processes);
    expect(killed).toBeGreaterThanOrEqual(KILLS);
    expect(await check(place, events)).toBeGreaterThanOrEqual(2);
    await annotate(`${killed} kills, ${events} events, doubled 0, lost 0`);
  });

  test(`a process that is killed ${SWITCH_KILLS} times around the switch of generations leaves one of them, whole`, {
    timeout: TIMEOUT_MS,
  }, async ({ annotate }) => {
    const events = SWITCH_EVENTS;
    const small = await placeWith(engine, 'switching', events);
    const task = { ...small.task, batchEvents: BATCH, generation: 1, appended: events, appendTo: events };
    const generations = async () => {
      const rows = await small.query('SELECT generation, is_live, position FROM esdb_gater_projections');
      const all = rows.map(numbers);
      const building = all.find((row) => row['is_live'] === 0);
      return {
        live: all.find((row) => row['is_live'] === 1)?.['generation'] ?? 0,
        isBuilding: building !== undefined,
        isBuilt: building?.['position'] === events,
      };
    };
    await project(task);
    let [killed, before] = [0, 0];
    while (killed < SWITCH_KILLS) {
      const { live, isBuilt } = await generations();
      const lastLine = `${live + 1} ${events - BATCH * Math.floor(Math.random() * 3)}`;
      // What is built already is switched to soon after the start.
      const kill = isBuilt
        ? { isTime: (line: string) => line === 'ready', withinMs: engine.startMs }
        : { isTime: (line: string) => line === lastLine, withinMs: 10 };
      killed += Number(await project({ ...task, generation: live + 1 }, kill));
      expect((await small.query('SELECT events FROM sums')).map(numbers)).toEqual([{ events }]);
      if ((await generations()).live === live) before += 1;
    }
    const { live, isBuilding } = await generations();
    await project({ ...task, generation: isBuilding ? live + 1 : live });
    await check(small, events);
    await annotate(`${killed} kills, ${before} of them before the switch`);
  });
}

describe('in SQLite', () => {
  const folder = mkdtempSync(join(tmpdir(), 'esdb-gater-projection-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  killSuite({
    // Only one process can open the file of the events.
    processes: 1,
    startMs: 50,
    async open(name) {
      const events = join(folder, `${name}-events.db`);
      const model = join(folder, `${name}-model.db`);
      return {
        store: await openSqliteStore({ storeId: 'default', file: events }),
        task: { engine: 'sqlite', name, events, model },
        tables: `SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') ORDER BY name`,
        async query(sql) {
          const database = new DatabaseSync(model);
          const rows = database.prepare(sql).all();
          database.close();
          return rows;
        },
      };
    },
  });
});

describe.skipIf(postgresUnavailable() !== undefined)('in PostgreSQL, with two processes at once', () => {
  let server: RunningPostgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());
  killSuite({
    processes: 2,
    startMs: 300,
    async open(name) {
      const { url } = server;
      await server.query(`CREATE SCHEMA model_${name}`);
      return {
        store: await openPostgresStore({ storeId: 'default', url, schema: `events_${name}` }),
        task: { engine: 'postgres', name, events: url, model: url },
        tables: `SELECT relname AS name FROM pg_class WHERE relkind IN ('r', 'v')
          AND relnamespace = 'model_${name}'::regnamespace ORDER BY relname`,
        query: (sql) => server.query(`SET search_path = model_${name}; ${sql}`),
      };
    },
  });
});
