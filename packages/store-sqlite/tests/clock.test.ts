import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { eventCore } from '@esdb-gater/event-store';
import { openSqliteStore } from '@esdb-gater/store-sqlite';
import { systemClock } from '@esdb-gater/types';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checksum as checksumOf } from '../src/checksum.ts';
import { type Acknowledgement, appendCommand, startChild } from './child.ts';

let folder = '';
let file = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'esdb-gater-clock-'));
  file = join(folder, 'main.db');
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

const open = (now?: () => number) =>
  openSqliteStore({
    storeId: 'main',
    file,
    ...(now === undefined ? {} : { clock: { ...systemClock, now } }),
  });

const append = (store: Awaited<ReturnType<typeof open>>, streamId = 's') =>
  store.appendEvents({
    storeId: 'main',
    streamId,
    events: [{ id: crypto.randomUUID(), type: 't', data: 1 }],
  });

test('an append under an implausible clock is unavailable, writes nothing, and the store opens and reads [R19] [F31]', async () => {
  let nowMs = Date.UTC(2026);
  const store = await open(() => nowMs);
  await append(store);
  for (nowMs of [Date.UTC(2260), Date.UTC(1960), Number.POSITIVE_INFINITY, 0]) {
    const refusal = { code: 'unavailable', message: expect.stringMatching(/^the clock must show a time/) };
    await expect(append(store)).rejects.toMatchObject(refusal);
    await expect(append(store, 'new')).rejects.toMatchObject(refusal);
    const snapshot = { storeId: 'main', sourceUuid: 's', streamUuid: 'u', version: 1, record: 1 };
    await expect(store.recordSnapshot(snapshot)).rejects.toMatchObject(refusal);
  }
  expect(await store.getStreams({ storeId: 'main' })).toEqual({ streams: ['s'] });
  expect(await store.getVersion({ storeId: 'main', streamId: 'new' })).toEqual({ version: -1 });
  // An hour back is plausible, and the times do not decrease.
  nowMs = Date.UTC(2026) - 3_600_000;
  expect(await append(store)).toMatchObject({ version: 1 });
  await store.close();
  const again = await open();
  const times = (await again.readAll({ storeId: 'main' })).events.map(({ epochUs }) => epochUs);
  expect(times).toEqual([Date.UTC(2026) * 1_000, Date.UTC(2026) * 1_000]);
  await again.close();
});

test('a file in which an older version wrote a time of 2260 opens, reads, and takes appends [R19] [F31]', async () => {
  const store = await open();
  await append(store);
  await store.close();
  const epochUs = Date.UTC(2260) * 1_000;
  expect(Number.isSafeInteger(epochUs)).toBe(false);
  const database = new DatabaseSync(file);
  const row = database.prepare('SELECT id FROM events').get();
  const stored = {
    streamId: 's',
    version: 0,
    position: 1,
    type: 't',
    data: '1',
    metadata: '{}',
    tags: '[]',
    epochUs,
  };
  const checksum = checksumOf(eventCore({ ...stored, id: String(row?.['id']) }));
  database.prepare('UPDATE events SET epoch_us = ?, checksum = ?').run(epochUs, checksum);
  database.close();

  const again = await open();
  const [event] = (await again.readAll({ storeId: 'main' })).events;
  expect(event?.timestamp).toBe('2260-01-01T00:00:00.000Z');
  expect(await append(again)).toMatchObject({ version: 1 });
  const { events } = await again.getEvents({ storeId: 'main', streamId: 's', direction: 'backward' });
  expect(events.map(({ version, epochUs }) => [version, epochUs])).toEqual([
    [1, epochUs],
    [0, epochUs],
  ]);
  await again.close();
});

function hasFaketime(): boolean {
  try {
    execFileSync('faketime', ['2020-01-01', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

test.skipIf(!hasFaketime())(
  'a process whose system clock is in 2260 appends nothing (needs faketime) [R19] [F31]',
  async () => {
    for (const [time, count] of [
      ['2026-01-01 00:00:00', 3],
      ['2260-01-01 00:00:00', 0],
      ['1971-01-01 00:00:00', 0],
    ] as const) {
      const acknowledged: Acknowledgement[] = [];
      const command = ['faketime', '-f', time, ...appendCommand(file, '1', '3')];
      await startChild(command, (one) => acknowledged.push(one)).ended;
      expect(acknowledged, time).toHaveLength(count);
    }
    const store = await open();
    expect((await store.readAll({ storeId: 'main' })).events.length).toBeGreaterThanOrEqual(3);
    await store.close();
  },
);
