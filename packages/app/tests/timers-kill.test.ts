import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { timers } from '@esdb-gater/app';
import { createStoreWorker } from '@esdb-gater/event-store';
import { createGater } from '@esdb-gater/gater/in-process';
import { createRegistry } from '@esdb-gater/registry';
import { openSqliteStore } from '@esdb-gater/store-sqlite';
import { expect, test } from 'vitest';
import { runChild } from './support/killed-child.ts';

const IS_FULL = process.env['ESDB_GATER_FAULTS'] === '1';
const TIMERS = IS_FULL ? 3_000 : 100;
const KILLS = IS_FULL ? 40 : 2;

test(`of ${TIMERS} timers whose process is killed ${KILLS} times each has its effect once, and none is forgotten`, {
  timeout: IS_FULL ? 600_000 : 60_000,
}, async ({ annotate, onTestFinished }) => {
  const folder = mkdtempSync(join(tmpdir(), 'esdb-gater-timers-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'events.db');
  const withStore = async <T>(run: (gater: ReturnType<typeof createGater>) => Promise<T>): Promise<T> => {
    const store = await openSqliteStore({ storeId: 'default', file });
    const registry = createRegistry();
    registry.register(createStoreWorker(store, { nodeId: 'test' }));
    const result = await run(createGater({ registry }, { storeId: 'default' }));
    registry.close();
    await store.close();
    return result;
  };
  await withStore(async (gater) => {
    const scheduled = timers<{ readonly order: number }>({ gater, name: 'reminders', fire: () => undefined });
    for (let order = 0; order < TIMERS; order += 1) await scheduled.schedule({ at: 0, message: { order } });
  });
  let killed = 0;
  while (killed < KILLS) {
    const lines = 1 + Math.floor((Math.random() * TIMERS) / (KILLS + 1));
    const kill = { isTime: (_: string, count: number) => count >= lines, withinMs: 5 };
    killed += Number(await runChild('timers-child.ts', file, kill));
  }
  await runChild('timers-child.ts', file);
  const { reminded, fired } = await withStore(async (gater) => {
    const counts: { reminded: unknown[]; fired: number } = { reminded: [], fired: 0 };
    for await (const { type, data } of gater.allEvents({})) {
      if (type === 'reminded') counts.reminded.push(data);
      if (type === 'timer_fired') counts.fired += 1;
    }
    return counts;
  });
  expect(fired).toBe(TIMERS);
  expect(reminded.sort((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: TIMERS }, (_, n) => n));
  await annotate(`${killed} kills, ${TIMERS} timers, doubled 0, lost 0`);
});
