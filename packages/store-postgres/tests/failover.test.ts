import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { postgresUnavailable, type RunningPostgres, startPostgres } from '../../../tools/postgres/index.ts';
import { openPostgresStore, type PostgresStore } from '../src/postgres-store.ts';
import { createLoad } from './support/load.ts';
import { append, failureOf, readEverything, STORE_ID } from './support/stores.ts';

const reason = postgresUnavailable({ nodes: 3 });
const name = reason === undefined ? 'a quorum' : `a quorum (${reason})`;

/** 50 with `ESDB_GATER_FAULTS=1`. */
const KILLS = process.env['ESDB_GATER_FAULTS'] === '1' ? 50 : 2;
const WRITERS = 20;

describe.skipIf(reason !== undefined)(name, () => {
  let postgres: RunningPostgres;
  let schemas = 0;
  const opened: PostgresStore[] = [];

  beforeAll(async () => {
    postgres = await startPostgres({ nodes: 3 });
  });
  afterAll(() => postgres.stop());
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((store) => store.close()));
  });

  async function open(rest: { readonly url?: string; readonly commitTimeoutMs?: number } = {}) {
    schemas += 1;
    const store = await openPostgresStore({
      storeId: STORE_ID,
      url: postgres.url,
      schema: `failover${schemas}`,
      ...rest,
    });
    opened.push(store);
    return store;
  }

  test(
    `no acknowledged append is lost or doubled by ${KILLS} kills of the primary under load, and appends go on within 2 s of each promotion [F35] [F1]`,
    async () => {
      const store = await open();
      const load = createLoad(store, WRITERS);
      const outagesMs: number[] = [];
      for (let kill = 0; kill < KILLS; kill += 1) {
        await load.afterMore(100);
        const primary = await postgres.primary();
        await primary.kill9();
        const next = await postgres.promote();
        const promotedMs = performance.now();
        await load.afterMore(1);
        outagesMs.push(performance.now() - promotedMs);
        await postgres.rejoin(primary, next);
      }
      const acknowledged = await load.stop();
      const events = await readEverything(store);
      expect(events.map(({ position }) => position)).toEqual(events.map((_, index) => index + 1));
      const byId = new Map(events.map((event) => [event.id, event]));
      expect(byId.size).toBe(events.length);
      for (const { id, streamId, version, position } of acknowledged) {
        expect(byId.get(id)).toMatchObject({ streamId, version, position });
      }
      expect(acknowledged.length).toBeGreaterThan(KILLS * 100);
      expect(Math.max(...outagesMs)).toBeLessThan(2_000);
    },
    60_000 + KILLS * 20_000,
  );

  test('a commit whose wait for a standby is cancelled is unknown, and a repeat waits for the standbys again [F35]', async () => {
    const store = await open({ commitTimeoutMs: 30_000 });
    const schema = `failover${schemas}`;
    const primary = await postgres.primary();
    await append(store, 'a');
    const standbys = postgres.nodes.filter((node) => node !== primary);
    for (const standby of standbys) standby.pause();
    const id = crypto.randomUUID();
    try {
      const first = failureOf(append(store, 'a', { id }));
      await vi.waitFor(async () => expect(await waitingFor('SyncRep')).not.toEqual([]), { timeout: 10_000 });
      await vi.waitFor(
        () =>
          expect(store.health()).toMatchObject({
            status: 'degraded',
            message: expect.stringMatching(/a commit has been waiting for .* for a standby/),
          }),
        { timeout: 5_000 },
      );
      await cancelWaiting();
      expect(await first).toMatchObject({ code: 'timeout', retriable: true, outcome: 'unknown' });
      // It is visible on the primary, but nowhere else.
      const rows = await postgres.query(`SELECT 1 FROM ${schema}.events WHERE id = '${id}'`, primary);
      expect(rows).toHaveLength(1);
      let answered = false;
      const again = append(store, 'a', { id }).finally(() => {
        answered = true;
      });
      await vi.waitFor(async () => expect(await waitingFor('SyncRep')).not.toEqual([]), { timeout: 10_000 });
      expect(answered).toBe(false);
      for (const standby of standbys) standby.resume();
      expect(await again).toMatchObject({ duplicate: true, version: 1 });
    } finally {
      for (const standby of standbys) standby.resume();
    }
  }, 60_000);

  test('a snapshot whose wait for a standby is cancelled is unknown too', async () => {
    const store = await open();
    const primary = await postgres.primary();
    const standbys = postgres.nodes.filter((node) => node !== primary);
    const snapshot = { storeId: STORE_ID, sourceUuid: 's', streamUuid: 't', version: 1, record: 1 };
    await store.recordSnapshot(snapshot);
    for (const standby of standbys) standby.pause();
    try {
      const first = failureOf(store.recordSnapshot({ ...snapshot, version: 2 }));
      await vi.waitFor(async () => expect(await waitingFor('SyncRep')).not.toEqual([]), { timeout: 10_000 });
      await cancelWaiting();
      expect(await first).toMatchObject({ code: 'timeout', outcome: 'unknown' });
    } finally {
      for (const standby of standbys) standby.resume();
    }
  }, 60_000);

  test('an old primary that comes back is not written to, also when the new one is gone [F35]', async () => {
    const store = await open();
    await append(store, 'a');
    const old = await postgres.primary();
    await old.kill9();
    const next = await postgres.promote();
    await vi.waitFor(() => append(store, 'a', { id: '00000000-0000-7000-8000-000000000001' }), {
      timeout: 10_000,
    });
    // As if nobody had fenced it: it takes writes by itself, waits for nobody, and the new primary cannot be reached.
    old.configure(["synchronous_standby_names = ''"], 'postgresql.auto.conf');
    await old.start();
    await next.kill9();
    await vi.waitFor(
      () =>
        expect(store.health()).toMatchObject({
          status: 'unhealthy',
          message: expect.stringMatching(/an old primary on timeline \d+, replaced by one on \d+/),
        }),
      { timeout: 10_000 },
    );
    expect(await failureOf(append(store, 'a'))).toMatchObject({ code: 'unavailable' });
    expect(await failureOf(readEverything(store))).toMatchObject({ code: 'unavailable' });
    await next.start();
    await vi.waitFor(() => append(store, 'a'), { timeout: 10_000 });
    expect((await readEverything(store)).map(({ version }) => version)).toEqual([0, 1, 2]);
    await old.stop();
    await postgres.rejoin(old, next);
  }, 90_000);

  test('a store leaves a primary that was replaced while its connections stayed open', async () => {
    const store = await open();
    await append(store, 'a');
    const old = await postgres.primary();
    // Stopped, not killed: connections to it stay open and silent, as behind a network that is cut.
    old.pause();
    try {
      const next = await postgres.promote();
      expect(next).not.toBe(old);
      await vi.waitFor(() => append(store, 'a', { id: '00000000-0000-7000-8000-000000000002' }), {
        timeout: 30_000,
        interval: 200,
      });
      old.resume();
      await sleep(100);
      expect((await readEverything(store)).map(({ version }) => version)).toEqual([0, 1]);
      await old.kill9();
      await postgres.rejoin(old, next);
    } finally {
      old.resume();
    }
  }, 90_000);

  const waitingFor = async (event: string) =>
    postgres.query(
      `SELECT pid FROM pg_stat_activity WHERE wait_event = '${event}'`,
      await postgres.primary(),
    );
  const cancelWaiting = async () =>
    postgres.query(
      "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'",
      await postgres.primary(),
    );
});
