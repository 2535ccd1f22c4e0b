import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { openSqliteStore } from '@esdb-gater/store-sqlite';
import { afterAll, beforeAll, expect, test } from 'vitest';

const IS_FULL = process.env['ESDB_GATER_FAULTS'] === '1';
const EVENTS = IS_FULL ? 100_000 : 5_000;
const KILLS = IS_FULL ? 40 : 2;

let folder = '';
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'esdb-gater-projection-'));
  const store = await openSqliteStore({ storeId: 'default', file: join(folder, 'events.db') });
  for (let first = 0; first < EVENTS; first += 1_000) {
    const events = Array.from({ length: 1_000 }, (_, index) => ({
      id: crypto.randomUUID(),
      type: 'added',
      data: first + index + 1,
    }));
    await store.appendEvents({ storeId: 'default', streamId: `s-${(first / 1_000) % 7}`, events });
  }
  await store.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the projection and kills it after so many commits. Returns whether it had ended by itself. */
async function run(killAfterCommits: number): Promise<boolean> {
  const child = spawn(
    process.execPath,
    [
      '--conditions=@esdb-gater/source',
      '--disable-warning=ExperimentalWarning',
      join(import.meta.dirname, 'projection-child.ts'),
      join(folder, 'events.db'),
      join(folder, 'model.db'),
      String(EVENTS),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let commits = 0;
  createInterface({ input: child.stdout }).on('line', () => {
    commits += 1;
    if (commits >= killAfterCommits) child.kill('SIGKILL');
  });
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  expect([0, null]).toContain(code);
  return code === 0;
}

test(`a projection of ${EVENTS} events that is killed ${KILLS} times applies each event once`, {
  timeout: 30_000 + KILLS * 15_000,
}, async () => {
  // A page has 100 events, so that the projection commits about EVENTS / 100 times.
  const perRun = EVENTS / 100 / (KILLS + 1);
  for (let kill = 0; kill < KILLS; kill += 1) {
    expect(await run(Math.ceil(Math.random() * perRun)), `run ${kill}`).toBe(false);
  }
  expect(await run(Number.POSITIVE_INFINITY)).toBe(true);
  const model = new DatabaseSync(join(folder, 'model.db'));
  expect({ ...model.prepare('SELECT events, sum FROM sums').get() }).toEqual({
    events: EVENTS,
    sum: (EVENTS * (EVENTS + 1)) / 2,
  });
  const applied = 'SELECT count(*) AS events, min(position) AS first, max(position) AS last FROM applied';
  expect({ ...model.prepare(applied).get() }).toEqual({ events: EVENTS, first: 1, last: EVENTS });
  const checkpoint = 'SELECT position FROM esdb_gater_projections WHERE name = ?';
  expect({ ...model.prepare(checkpoint).get('sums') }).toEqual({ position: EVENTS });
  model.close();
});
