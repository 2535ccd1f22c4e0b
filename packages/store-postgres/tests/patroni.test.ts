import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { postgresUnavailable } from '../../../tools/postgres/index.ts';
import { patroniUnavailable, type RunningPatroni, startPatroni } from '../../../tools/postgres/patroni.ts';
import { openPostgresStore } from '../src/postgres-store.ts';
import { createLoad } from './support/load.ts';
import { readEverything, STORE_ID } from './support/stores.ts';

const reason = postgresUnavailable({ nodes: 3 }) ?? patroniUnavailable();
const KILLS = process.env['ESDB_GATER_FAULTS'] === '1' ? 5 : 1;
const WRITERS = 20;

describe.skipIf(reason !== undefined)(`Patroni${reason === undefined ? '' : ` (${reason})`}`, () => {
  let patroni: RunningPatroni;

  beforeAll(async () => {
    patroni = await startPatroni();
  }, 240_000);
  afterAll(() => patroni?.stop());

  test(
    `no acknowledged append is lost or doubled when Patroni promotes a standby after ${KILLS} kills of the primary, and appends go on within 2 s of its first commit [F35]`,
    async () => {
      const store = await openPostgresStore({ storeId: STORE_ID, url: patroni.url });
      const load = createLoad(store, WRITERS);
      for (let kill = 0; kill < KILLS; kill += 1) {
        await load.afterMore(200);
        const former = await patroni.leader();
        await former.kill9();
        const next = await patroni.writableLeader();
        const writableMs = performance.now();
        expect(next).not.toBe(former);
        await load.afterMore(1);
        // The promise itself is a time. Before a standby has followed the new primary nobody's commit is acknowledged.
        expect(performance.now() - writableMs).toBeLessThan(2_000);
        await load.afterMore(200);
        former.start();
        await patroni.quorum(2);
      }
      const acknowledged = await load.stop();
      const events = await readEverything(store);
      await store.close();
      expect(events.map(({ position }) => position)).toEqual(events.map((_, index) => index + 1));
      const byId = new Map(events.map((event) => [event.id, event]));
      expect(byId.size).toBe(events.length);
      for (const { id, streamId, version, position } of acknowledged) {
        expect(byId.get(id)).toMatchObject({ streamId, version, position });
      }
    },
    60_000 + KILLS * 120_000,
  );
});
