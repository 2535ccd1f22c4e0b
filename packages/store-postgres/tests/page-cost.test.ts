import type { NewEvent } from '@esdb-gater/types';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { postgresUnavailable, type RunningPostgres, startPostgres } from '../../../tools/postgres/index.ts';
import { openPostgresStore } from '../src/postgres-store.ts';
import { EventReader } from '../src/reading/event-reader.ts';
import { STORE_ID } from './support/stores.ts';

const reason = postgresUnavailable();
const name = reason === undefined ? 'the cost of a page' : `the cost of a page (${reason})`;

const EVENTS = 4_000;
const PAGE = 10;
const SCHEMA = 'pages';

interface PlanNode {
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly PlanNode[];
}

describe.skipIf(reason !== undefined)(name, () => {
  let postgres: RunningPostgres;
  let client: pg.Client;

  beforeAll(async () => {
    // Without statistics, as in a store that has just begun.
    postgres = await startPostgres({ settings: ['fsync = off', 'autovacuum = off'] });
    const store = await openPostgresStore({ storeId: STORE_ID, url: postgres.url, schema: SCHEMA });
    for (let first = 0; first < EVENTS; first += 1_000) {
      const events = Array.from({ length: 1_000 }, (): NewEvent => ({ type: 't', data: 1 }));
      await store.appendEvents({ storeId: STORE_ID, streamId: 'long', events });
    }
    await store.close();
    client = await postgres.connect();
  });
  afterAll(async () => {
    await client?.end();
    await postgres?.stop();
  });

  /** Reads as a store does, and returns how many rows of `events` the server looks at. */
  async function rowsReadBy(read: (reader: EventReader) => Promise<unknown>): Promise<number> {
    let rows = 0;
    const reader = new EventReader(STORE_ID, SCHEMA, async (text, values) => {
      const explained = await client.query(`EXPLAIN (ANALYZE, FORMAT JSON) ${text}`, [...values]);
      rows = rowsOf(explained.rows[0]['QUERY PLAN'][0].Plan);
      return [];
    });
    // The reader itself gets no rows, and may say so.
    await read(reader).catch(() => {});
    return rows;
  }

  const ofStream = (backward: boolean) => ({ streamId: 'long', backward, startVersion: 100, count: PAGE });

  test.each([
    ['forward', (reader: EventReader) => reader.ofStream(ofStream(false))],
    ['backward', (reader: EventReader) => reader.ofStream(ofStream(true))],
    ['of the whole store', (reader: EventReader) => reader.ofStore(100, PAGE)],
  ])('a page %s reads its own events only, however many follow', async (_, read) => {
    const rows = await rowsReadBy(read);
    expect(rows).toBeGreaterThanOrEqual(PAGE);
    // Once for their length and once for themselves, and the newest for each comparison with it.
    expect(rows).toBeLessThanOrEqual(3 * PAGE);
  });
});

function rowsOf(node: PlanNode): number {
  const { Plans = [], 'Relation Name': relation } = node;
  const own =
    relation === 'events'
      ? (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops']
      : 0;
  return Plans.reduce((sum, plan) => sum + rowsOf(plan), own);
}
