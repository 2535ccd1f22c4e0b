import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore } from '@esdb-gater/store-sqlite';
import type { EventStore, RecordedEvent } from '@esdb-gater/types';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Acknowledgement, appendCommand, startChild } from './child.ts';

/** Kill points: a few in every run, 200 with ESDB_GATER_FAULTS=1. */
const KILLS = process.env['ESDB_GATER_FAULTS'] === '1' ? 200 : 3;

/** Kills of one file, so that recovered files are killed again. */
const KILLS_PER_FILE = 10;

let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'esdb-gater-kill-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** Runs a child with 100 writers and kills it when it has acknowledged so many appends. */
async function killAfter(count: number, file: string): Promise<Acknowledgement[]> {
  const acknowledged: Acknowledgement[] = [];
  const child = startChild(appendCommand(file, '100', '100000'), (acknowledgement) => {
    acknowledged.push(acknowledgement);
    if (acknowledged.length === count) child.process.kill('SIGKILL');
  });
  await child.ended;
  expect(child.process.signalCode).toBe('SIGKILL');
  return acknowledged;
}

async function readEverything(store: EventStore): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  let after: number | undefined = 0;
  while (after !== undefined) {
    const page = await store.readAll({ storeId: 'main', after, limit: 1_000 });
    events.push(...page.events);
    after = page.next;
  }
  return events;
}

/** No loss, no gap, no double, and every append whole. */
function check(events: readonly RecordedEvent[], acknowledged: readonly Acknowledgement[]): void {
  const byId = new Map(events.map((event) => [event.id, event]));
  expect(byId.size, 'an event stands twice').toBe(events.length);
  const versions = new Map<string, number>();
  const batches = new Map<string, number>();
  for (const [index, event] of events.entries()) {
    expect(event.position, 'a gap in positions').toBe(index + 1);
    expect(event.version, 'a gap in versions').toBe((versions.get(event.streamId) ?? -1) + 1);
    versions.set(event.streamId, event.version);
    const { batch } = event.data as { batch: string };
    batches.set(batch, (batches.get(batch) ?? 0) + 1);
  }
  for (const { data } of events) {
    const { batch, count } = data as { batch: string; count: number };
    expect(batches.get(batch), 'part of an append').toBe(count);
  }
  for (const { streamId, version, position, ids } of acknowledged) {
    const last = byId.get(ids.at(-1) ?? '');
    expect([last?.streamId, last?.version, last?.position], 'an acknowledged append').toEqual([
      streamId,
      version,
      position,
    ]);
    for (const id of ids) expect(byId.has(id), 'an acknowledged event is lost').toBe(true);
  }
}

test(`after kill -9 at ${KILLS} random points every acknowledged append is there once and whole`, {
  timeout: KILLS * 10_000,
}, async () => {
  let acknowledged: Acknowledgement[] = [];
  for (let kill = 0; kill < KILLS; kill += 1) {
    if (kill % KILLS_PER_FILE === 0) acknowledged = [];
    const file = join(folder, `${Math.floor(kill / KILLS_PER_FILE)}.db`);
    acknowledged.push(...(await killAfter(1 + Math.floor(Math.random() * 1_500), file)));
    const store = await openSqliteStore({ storeId: 'main', file });
    check(await readEverything(store), acknowledged);
    await store.close();
  }
});
