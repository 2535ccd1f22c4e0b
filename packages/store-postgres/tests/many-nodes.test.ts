import type { EventStore } from '@esdb-gater/types';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { postgresUnavailable, type RunningPostgres, startPostgres } from '../../../tools/postgres/index.ts';
import { openPostgresStore, type PostgresStore } from '../src/postgres-store.ts';
import { append, readEverything, STORE_ID } from './support/stores.ts';

const reason = postgresUnavailable();
const name = reason === undefined ? 'several nodes' : `several nodes (${reason})`;

describe.skipIf(reason !== undefined)(name, () => {
  let postgres: RunningPostgres;
  let schemas = 0;
  const opened: PostgresStore[] = [];

  beforeAll(async () => {
    postgres = await startPostgres({ settings: ['fsync = off'] });
  });
  afterAll(async () => {
    await Promise.all(opened.map((store) => store.close()));
    await postgres.stop();
  });

  async function openNodes(count: number): Promise<PostgresStore[]> {
    schemas += 1;
    const options = { storeId: STORE_ID, url: postgres.url, schema: `nodes${schemas}`, maxReaders: 2 };
    const stores = await Promise.all(Array.from({ length: count }, () => openPostgresStore(options)));
    opened.push(...stores);
    return stores;
  }

  test('nodes that open a new schema at the same time all get the same store', async () => {
    const stores = await openNodes(6);
    expect(new Set(stores.map(({ storeUuid }) => storeUuid)).size).toBe(1);
    await append(stores[0] as EventStore, 'a');
    expect(await readEverything(stores[5] as EventStore)).toHaveLength(1);
  });

  test('of concurrent appends of several nodes that expect one version exactly one wins [F23]', async () => {
    const stores = await openNodes(4);
    for (let version = -1; version < 9; version += 1) {
      const calls = stores.flatMap((store) =>
        Array.from({ length: 5 }, () => append(store, 'contended', { expectedVersion: version })),
      );
      const results = await Promise.allSettled(calls);
      const lost = results.filter((one) => one.status === 'rejected').map((one) => one.reason);
      expect(lost).toHaveLength(19);
      for (const error of lost) {
        expect(error).toMatchObject({ code: 'wrong_expected_version', actual: version + 1 });
      }
    }
  });

  test('the same event from several nodes at once is written once, and all learn its position', async () => {
    const stores = await openNodes(4);
    for (let round = 0; round < 10; round += 1) {
      const id = crypto.randomUUID();
      const results = await Promise.all(stores.map((store) => append(store, 'same', { id })));
      expect(new Set(results.map(({ version, position }) => `${version}@${position}`)).size).toBe(1);
      expect(results.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
    }
  });

  test('a reader that follows the positions misses nothing while many nodes append', async () => {
    const [reader, ...writers] = (await openNodes(5)) as [PostgresStore, ...PostgresStore[]];
    let writing = true;
    const load = Promise.all(
      writers.flatMap((store, node) =>
        Array.from({ length: 5 }, async (_, writer) => {
          for (let n = 0; n < 40; n += 1)
            await append(store, `${node}-${writer}`, { expectedVersion: n - 1 });
        }),
      ),
    ).finally(() => {
      writing = false;
    });
    const seen: number[] = [];
    for (let done = false; !done; ) {
      // Read before the last look, so that what was written meanwhile is looked for once more.
      done = !writing;
      const { events } = await reader.readAll({ storeId: STORE_ID, after: seen.at(-1) ?? 0, limit: 1_000 });
      for (const { position } of events) seen.push(position);
      done &&= events.length === 0;
    }
    await load;
    expect(seen).toEqual(Array.from({ length: 4 * 5 * 40 }, (_, index) => index + 1));
  });

  test('a commit on one node wakes the listeners of the others', async () => {
    const [one, other] = (await openNodes(2)) as [PostgresStore, PostgresStore];
    const heard = vi.fn<(position: number) => void>();
    other.onCommitted(heard);
    const { position } = await append(one, 'a');
    await vi.waitFor(() => expect(heard).toHaveBeenCalledWith(position));
  });

  test('the checkpoint of the feed never goes back, whichever node saves it', async () => {
    const [one, other] = (await openNodes(2)) as [PostgresStore, PostgresStore];
    await Promise.all([
      one.feedCheckpoint.save({ position: 7 }),
      other.feedCheckpoint.save({ position: 9 }),
      one.feedCheckpoint.save({ position: 8 }),
    ]);
    expect(await one.feedCheckpoint.load()).toEqual({ position: 9 });
    await other.feedCheckpoint.save({ position: 3, turn: 1 });
    await one.feedCheckpoint.save({ position: 20 });
    expect(await one.feedCheckpoint.load()).toEqual({ position: 3, turn: 1 });
  });

  test('a condition sees the appends of other nodes', async () => {
    const stores = await openNodes(3);
    const results = await Promise.allSettled(
      stores.map((store, node) =>
        store.appendEvents({
          storeId: STORE_ID,
          streamId: `node-${node}`,
          events: [{ id: crypto.randomUUID(), type: 'claimed', data: node, tags: ['seat-1'] }],
          condition: { failIfEventsMatch: { items: [{ tags: ['seat-1'] }] } },
        }),
      ),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(results.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'append_condition_failed', position: 1 },
    });
  });

  test('a condition of more names than are looked up while others wait is checked all the same', async () => {
    const [store] = (await openNodes(1)) as [PostgresStore];
    for (let n = 0; n < 60; n += 1) await append(store, 'a', { type: `type-${n}` });
    const types = Array.from({ length: 5_000 }, (_, n) => `other-${n}`);
    const conditional = (items: { types: string[] }[]) =>
      store.appendEvents({
        storeId: STORE_ID,
        streamId: 'b',
        events: [{ id: crypto.randomUUID(), type: 't', data: 1 }],
        condition: { failIfEventsMatch: { items } },
      });
    expect(await conditional([{ types }])).toMatchObject({ position: 61 });
    await expect(conditional([{ types }, { types: ['type-41'] }])).rejects.toMatchObject({
      code: 'append_condition_failed',
      position: 42,
    });
  });
});
