import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMemoryStore } from '@esdb-gater/event-store';
import { type EventStore, GaterError, type JsonValue } from '@esdb-gater/types';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openSqliteStore } from './sqlite-store.ts';

type Operation = (store: EventStore) => Promise<unknown>;

const streamId = fc.constantFrom('a', 'b', '__proto__', '😀');
const version = fc.integer({ min: -4, max: 6 }).filter((value) => value !== -3);
const ids = Array.from(
  { length: 12 },
  (_, index) => `0190d2a0-0000-7000-8000-${String(index).padStart(12, '0')}`,
);

const event = fc.record(
  {
    id: fc.constantFrom(...ids),
    type: fc.constantFrom('x', 'y'),
    data: fc.constantFrom<JsonValue>(1, null, { a: 1, b: 2 }, { b: 2, a: 1 }, '__proto__'),
    metadata: fc.constantFrom({}, { m: 1 }),
    tags: fc.constantFrom([], ['t'], ['t', 't']),
  },
  { requiredKeys: ['type', 'data', 'id'] },
);

const append = fc.record({
  streamId,
  expectedVersion: version,
  events: fc.array(event, { minLength: 1, maxLength: 3 }),
});
const read = fc.record(
  {
    streamId,
    startVersion: fc.integer({ min: -1, max: 8 }),
    count: fc.integer({ min: 1, max: 4 }),
    direction: fc.constantFrom('forward' as const, 'backward' as const),
  },
  { requiredKeys: ['streamId'] },
);
const snapshotAt = fc.record({
  sourceUuid: fc.constantFrom('s', '__proto__'),
  streamUuid: fc.constantFrom('s', 't'),
  version: fc.nat(3),
});

/** Operations as functions of a store: their answers are what is compared. */
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 6,
    arbitrary: append.map(
      (params): Operation =>
        (store) =>
          store.appendEvents({ storeId: 'm', ...params }),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.record({ streamId, expectedVersion: version }).map(
      (params): Operation =>
        (store) =>
          store.deleteStream({ storeId: 'm', ...params }),
    ),
  },
  {
    weight: 3,
    arbitrary: read.map(
      (params): Operation =>
        (store) =>
          store.getEvents({ storeId: 'm', ...params }),
    ),
  },
  streamId.map(
    (id): Operation =>
      (store) =>
        store.getVersion({ storeId: 'm', streamId: id }),
  ),
  streamId.map(
    (id): Operation =>
      (store) =>
        store.streamExists({ storeId: 'm', streamId: id }),
  ),
  fc.record({ after: fc.nat(20), limit: fc.integer({ min: 1, max: 5 }) }).map(
    (params): Operation =>
      (store) =>
        store.readAll({ storeId: 'm', ...params }),
  ),
  fc
    .record({
      prefix: fc.constantFrom('', 'a', '_'),
      after: fc.constantFrom('', 'a'),
      limit: fc.integer({ min: 1, max: 3 }),
    })
    .map(
      (params): Operation =>
        (store) =>
          store.getStreams({ storeId: 'm', ...params }),
    ),
  snapshotAt.map(
    (params): Operation =>
      (store) =>
        store.recordSnapshot({ storeId: 'm', ...params, record: params }),
  ),
  snapshotAt.map(
    (params): Operation =>
      (store) =>
        store.readSnapshot({ storeId: 'm', ...params }),
  ),
  snapshotAt.map(
    (params): Operation =>
      (store) =>
        store.listSnapshots({ storeId: 'm', ...params }),
  ),
  snapshotAt.map(
    (params): Operation =>
      (store) =>
        store.deleteSnapshot({ storeId: 'm', ...params }),
  ),
);

/** An answer without what differs between two stores by nature: times, and the words of errors. */
function comparable(value: unknown): string {
  return JSON.stringify(value, (name, member) => (name === 'timestamp' || name === 'epochUs' ? 0 : member));
}

async function perform(store: EventStore, run: Operation): Promise<string> {
  try {
    return comparable(await run(store));
  } catch (error) {
    if (!GaterError.is(error)) throw error;
    return comparable(error.toData());
  }
}

test('random operations get the same answers from the SQLite store as from the memory store', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'esdb-gater-model-'));
  let runs = 0;
  try {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(operation, { minLength: 1, maxLength: 6 }), { maxLength: 12 }),
        async (turns) => {
          runs += 1;
          const memory = createMemoryStore({ storeId: 'm' });
          const sqlite = await openSqliteStore({ storeId: 'm', file: join(folder, `${runs}.db`) });
          try {
            for (const turn of turns) {
              // Writes of one turn share a transaction, so their order is that of the calls; reads would race with them.
              for (const run of turn) {
                expect(await perform(sqlite, run)).toBe(await perform(memory, run));
              }
            }
          } finally {
            await sqlite.close();
          }
        },
      ),
      { numRuns: 15 },
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('writes that share a transaction get the same answers as one after the other', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'esdb-gater-model-'));
  let runs = 0;
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(append, { minLength: 2, maxLength: 30 }), async (appends) => {
        runs += 1;
        const memory = createMemoryStore({ storeId: 'm' });
        const sqlite = await openSqliteStore({ storeId: 'm', file: join(folder, `${runs}.db`) });
        try {
          const write = (store: EventStore) => (params: (typeof appends)[number]) =>
            perform(store, (one) => one.appendEvents({ storeId: 'm', ...params }));
          const together = await Promise.all(appends.map(write(sqlite)));
          expect(together).toEqual(await Promise.all(appends.map(write(memory))));
        } finally {
          await sqlite.close();
        }
      }),
      { numRuns: 15 },
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});
