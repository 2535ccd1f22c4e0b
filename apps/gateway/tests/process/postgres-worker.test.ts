import { join } from 'node:path';
import { connect } from '@esdb-gater/client';
import type { RecordedEvent, StorePage } from '@esdb-gater/types';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  postgresUnavailable,
  type RunningPostgres,
  startPostgres,
} from '../../../../tools/postgres/index.ts';
import { startCountedLoad } from '../support/counted-load.ts';
import { type GatewayProcess, startGatewayProcess, temporaryFolder } from '../support/gateway-process.ts';
import { type RawClient, type RpcAnswer, rawConnect } from '../support/raw-client.ts';
import { startWorkerProcess, type WorkerProcess } from '../support/worker-process.ts';

const reason = postgresUnavailable();
const KILLS = process.env['ESDB_GATER_FAULTS'] === '1' ? 20 : 2;
const DEADLINE_MS = 5_000;
/** Long enough for a busy machine. */
const SLACK_MS = 1_500;
/** Fewer than the budget of retries. */
const CALLS = 4;
const STORE = { storeId: 'orders' };

describe.skipIf(reason !== undefined)(
  `workers of one PostgreSQL store in processes of their own${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    const folder = temporaryFolder();
    let postgres: RunningPostgres;
    let gateway: GatewayProcess;
    let client: RawClient;
    let workers: WorkerProcess[] = [];
    let rounds = 0;

    beforeAll(async () => {
      postgres = await startPostgres();
    });
    // A gateway for each test, as its budget of retries is shared by the calls of ten seconds.
    beforeEach(async () => {
      rounds += 1;
      gateway = await startGatewayProcess(join(folder.path, `gateway-${rounds}`), [
        ...['--stores', '{}', '--retry-deadline-ms', String(DEADLINE_MS)],
      ]);
      client = await rawConnect(gateway.url);
      workers = await Promise.all([startWorker('w1'), startWorker('w2')]);
    });
    afterEach(async () => {
      client.socket.terminate();
      await Promise.all(workers.map((worker) => worker.kill9()));
      await gateway.kill9();
    });
    afterAll(async () => {
      await postgres?.stop();
      folder.remove();
    });

    async function startWorker(id: string): Promise<WorkerProcess> {
      const flags = ['--store', 'orders', '--postgres', postgres.url, '--worker-id', id];
      const worker = startWorkerProcess([...flags, '--connect', gateway.url]);
      await worker.until(1);
      return worker;
    }

    /** One request, so one answer: nothing here repeats it. */
    const append = (n: number, id: string): Promise<RpcAnswer> => {
      const events = [{ type: 'placed', data: n, id }];
      return client.call('appendEvents', { ...STORE, streamId: `round-${rounds}-${n}`, events });
    };

    /** Makes appends that a worker has in its hands when it is killed. Resolves to how each ended, and after how long. */
    async function appendWhile(kill: () => Promise<unknown>) {
      const ids = Array.from({ length: CALLS }, () => crypto.randomUUID());
      const began = performance.now();
      const calls = Promise.all(
        ids.map(async (id, n) => {
          const { error } = await append(n, id);
          return { id, n, code: error?.data.code ?? 'ok', tookMs: performance.now() - began };
        }),
      );
      await kill();
      return calls;
    }

    async function eventsOfRound(): Promise<RecordedEvent[]> {
      const events: RecordedEvent[] = [];
      for (let after: number | undefined = 0; after !== undefined; ) {
        const { result } = await client.call('readAll', { ...STORE, after, limit: 1_000 });
        const page = result as StorePage;
        events.push(...page.events);
        after = page.next;
      }
      expect(events.map(({ position }) => position)).toEqual(events.map((_, index) => index + 1));
      return events.filter(({ streamId }) => streamId.startsWith(`round-${rounds}-`));
    }

    const killTheFirst = () => (workers[0] as WorkerProcess).kill9();

    /** The ways in which a worker is held at a step of an append, and let go after its end. */
    const STEPS = [
      {
        step: 'before it has sent anything',
        hold: async () => {
          (workers[0] as WorkerProcess).signal('SIGSTOP');
          return killTheFirst;
        },
      },
      {
        step: 'while its transaction waits',
        hold: async () => {
          const other = await postgres.connect();
          await other.query('BEGIN; LOCK TABLE esdb_gater_orders.events IN SHARE MODE');
          return async () => {
            await waitingFor('Lock');
            await killTheFirst();
            await other.query('ROLLBACK');
            await other[Symbol.asyncDispose]();
          };
        },
      },
      {
        step: 'after its commit, before it could answer',
        hold: async () => {
          await configure("'a_standby_that_does_not_exist'");
          return async () => {
            await waitingFor('SyncRep');
            await killTheFirst();
            await configure("''");
          };
        },
      },
    ] as const;

    test.each(STEPS)(
      'one that is killed $step: every call is answered once, by the other one [F14]',
      async ({ hold }) => {
        const kill = await hold();
        const outcomes = await appendWhile(kill);
        expect(outcomes.map(({ code }) => code)).toEqual(outcomes.map(() => 'ok'));
        expect(Math.max(...outcomes.map(({ tookMs }) => tookMs))).toBeLessThan(DEADLINE_MS + SLACK_MS);
        const events = await eventsOfRound();
        expect(events.map(({ id }) => id).toSorted()).toEqual(outcomes.map(({ id }) => id).toSorted());
      },
    );

    test.each(STEPS)(
      'the only one is killed $step: each call ends with one error in time, and a repeat writes its event once [F14]',
      async ({ hold }) => {
        await (workers[1] as WorkerProcess).kill9();
        const kill = await hold();
        const outcomes = await appendWhile(kill);
        const failed = outcomes.filter(({ code }) => code !== 'ok');
        expect(failed.length).toBeGreaterThan(0);
        for (const { code, tookMs } of failed) {
          expect(['timeout', 'unavailable', 'no_workers']).toContain(code);
          expect(tookMs).toBeLessThan(DEADLINE_MS + SLACK_MS);
        }
        workers.push(await startWorker('w3'));
        for (const { id, n } of outcomes) {
          expect((await append(n, id)).result).toMatchObject({ version: 0, count: 1 });
        }
        const events = await eventsOfRound();
        expect(events.map(({ id }) => id).toSorted()).toEqual(outcomes.map(({ id }) => id).toSorted());
      },
    );

    test(
      `${KILLS} kills of workers under load: what was acknowledged is there once, and appends go on [F14] [F1]`,
      async () => {
        await using writer = await connect(gateway.url);
        const load = startCountedLoad([writer], STORE.storeId, `round-${rounds}`, 20);
        for (let kill = 0; kill < KILLS; kill += 1) {
          await load.more(300);
          const at = kill % 2;
          await workers[at]?.kill9();
          await load.more(100);
          workers[at] = await startWorker(`w${at + 1}`);
        }
        const acknowledged = await load.stop();
        const events = await eventsOfRound();
        const byId = new Map(events.map((event) => [event.id, event]));
        expect(byId.size).toBe(events.length);
        for (const { id, streamId, version, position } of acknowledged) {
          expect(byId.get(id)).toMatchObject({ streamId, version, position });
        }
      },
      60_000 + KILLS * 10_000,
    );

    async function waitingFor(event: 'Lock' | 'SyncRep'): Promise<void> {
      const column = event === 'Lock' ? 'wait_event_type' : 'wait_event';
      const sql = `SELECT 1 FROM pg_stat_activity WHERE ${column} = '${event}' AND application_name = 'esdb-gater'`;
      await vi.waitFor(async () => expect(await postgres.query(sql)).not.toEqual([]), { timeout: 10_000 });
    }

    async function configure(standbys: string): Promise<void> {
      // Its own commit must not wait for a standby.
      await postgres.query(`ALTER SYSTEM SET synchronous_standby_names = ${standbys}`);
      await postgres.query('SELECT pg_reload_conf()');
    }
  },
);
