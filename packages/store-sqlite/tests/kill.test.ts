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

/** What is wrong with what was read: a loss, a gap, a double, or a part of an append. */
function problemsOf(events: readonly RecordedEvent[], acknowledged: readonly Acknowledgement[]): string[] {
  const problems: string[] = [];
  const byId = new Map(events.map((event) => [event.id, event]));
  if (byId.size !== events.length) problems.push('an event stands twice');
  const versions = new Map<string, number>();
  const batches = new Map<string, number>();
  for (const [index, { position, streamId, version, data }] of events.entries()) {
    if (position !== index + 1) problems.push(`a gap before position ${position}`);
    if (version !== (versions.get(streamId) ?? -1) + 1) problems.push(`a gap before ${streamId} ${version}`);
    versions.set(streamId, version);
    const { batch } = data as { batch: string };
    batches.set(batch, (batches.get(batch) ?? 0) + 1);
  }
  for (const { data, position } of events) {
    const { batch, count } = data as { batch: string; count: number };
    if (batches.get(batch) !== count) problems.push(`part of an append at ${position}`);
  }
  for (const { streamId, version, position, ids } of acknowledged) {
    if (!ids.every((id) => byId.has(id))) problems.push(`lost: position ${position}`);
    const last = byId.get(ids.at(-1) ?? '');
    if (last?.streamId !== streamId || last.version !== version || last.position !== position) {
      problems.push(`not as acknowledged: position ${position}`);
    }
  }
  return problems;
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
    expect(problemsOf(await readEverything(store), acknowledged)).toEqual([]);
    await store.close();
  }
});
