import { createMemoryStore } from '@esdb-gater/event-store';
import { type Arbitrary, countReach, fc, type Reach } from '@esdb-gater/property-testing';
import {
  ANY_VERSION,
  type EventStore,
  GaterError,
  type JsonValue,
  NO_STREAM,
  STREAM_EXISTS,
} from '@esdb-gater/types';
import { expect } from 'vitest';

/** What both stores are asked. Names and ids belong to a run, as all runs share the two stores. */
type Operation = (store: EventStore, run: number) => Promise<unknown>;

/** The newest position of both stores before an operation, or before a round of operations. */
const newest = { position: 0 };

const stream = fc.constantFrom('a', 'a', 'a', 'b', '__proto__', '😀');
/** Mostly what an append can meet, so that streams grow and are deleted. */
const expectedVersion = fc.oneof(
  { weight: 3, arbitrary: fc.constant(ANY_VERSION) },
  { weight: 1, arbitrary: fc.constantFrom(NO_STREAM, STREAM_EXISTS) },
  { weight: 2, arbitrary: fc.nat(6) },
);
const at = (name: string, run: number) => ({ storeId: 'm', streamId: `${name}${run}` });
const idOf = (index: number, run: number): string =>
  `${String(run).padStart(8, '0')}-0000-7000-8000-${String(index).padStart(12, '0')}`;

const event = fc.record({
  id: fc.integer({ min: 15, max: 60 }),
  type: fc.constantFrom('x', 'y'),
  data: fc.constantFrom<JsonValue>(1, null, { a: 1, b: 2 }, { b: 2, a: 1 }, '__proto__'),
  metadata: fc.constantFrom({}, { m: 1 }),
  tags: fc.constantFrom([], ['t'], ['t', 't'], ['u', 't'], ['v']),
});

const query = fc.record({
  items: fc.array(
    fc.record({
      types: fc.subarray(['x', 'y', 'z']),
      tags: fc.subarray(['t', 'u', 'v']),
    }),
    { maxLength: 3 },
  ),
});

/** Conditions look back over the events of a few operations, more or less. */
const condition = fc.option(fc.record({ failIfEventsMatch: query, back: fc.integer({ min: -1, max: 9 }) }), {
  nil: undefined,
  freq: 2,
});

const someEvents = fc.array(event, { minLength: 1, maxLength: 3 });

/** One of a few lists of events, so that the same list comes again. */
const repeated: typeof someEvents = fc.nat(4).map((list) =>
  Array.from({ length: 1 + (list % 3) }, (_, index) => ({
    id: list * 3 + index,
    type: 'x',
    data: list as JsonValue,
    metadata: {},
    tags: ['t'],
  })),
);

const append = fc
  .record({
    name: stream,
    expectedVersion,
    condition,
    events: fc.oneof({ weight: 3, arbitrary: someEvents }, { weight: 2, arbitrary: repeated }),
  })
  .map(
    ({ name, events, condition: given, ...rest }): Operation =>
      (store, run) =>
        store.appendEvents({
          ...at(name, run),
          ...rest,
          ...(given && {
            condition: {
              failIfEventsMatch: given.failIfEventsMatch,
              after: Math.max(0, newest.position - given.back),
            },
          }),
          events: events.map((one) => ({ ...one, id: idOf(one.id, run) })),
        }),
  );

const deletion = fc.record({ name: stream, expectedVersion }).map(
  ({ name, ...rest }): Operation =>
    (store, run) =>
      store.deleteStream({ ...at(name, run), ...rest }),
);

const streamRead = fc
  .record({
    name: stream,
    startVersion: fc.integer({ min: -1, max: 8 }),
    count: fc.integer({ min: 1, max: 4 }),
    direction: fc.constantFrom('forward' as const, 'backward' as const),
  })
  .map(
    ({ name, ...rest }): Operation =>
      (store, run) =>
        store.getEvents({ ...at(name, run), ...rest }),
  );

const streamLook = stream.map(
  (name): Operation =>
    async (store, run) => [await store.getVersion(at(name, run)), await store.streamExists(at(name, run))],
);

const storeRead = fc.record({ after: fc.nat(200), limit: fc.integer({ min: 1, max: 5 }) }).map(
  (params): Operation =>
    (store) =>
      store.readAll({ storeId: 'm', ...params }),
);

const storeQuery = fc.record({ query, after: fc.nat(200), limit: fc.integer({ min: 1, max: 5 }) }).map(
  (params): Operation =>
    (store) =>
      store.queryEvents({ storeId: 'm', ...params }),
);

const listing = fc
  .record({
    prefix: fc.constantFrom('', 'a', '_', '😀'),
    after: fc.constantFrom('', 'a', 'a5'),
    limit: fc.integer({ min: 1, max: 3 }),
  })
  .map(
    (params): Operation =>
      (store) =>
        store.getStreams({ storeId: 'm', ...params }),
  );

const snapshot = fc
  .record({
    method: fc.constantFrom('recordSnapshot', 'readSnapshot', 'listSnapshots', 'deleteSnapshot'),
    sourceUuid: fc.constantFrom('s', '__proto__'),
    name: fc.constantFrom('s', 't'),
    version: fc.nat(3),
    startVersion: fc.integer({ min: -1, max: 4 }),
    count: fc.integer({ min: 1, max: 3 }),
  })
  .map(
    ({ method, name, ...rest }): Operation =>
      (store, run) => {
        const params = { storeId: 'm', streamUuid: `${name}${run}`, record: rest, ...rest };
        return store[method as 'recordSnapshot'](params);
      },
  );

const operation: Arbitrary<Operation> = fc.oneof(
  { weight: 6, arbitrary: append },
  { weight: 2, arbitrary: deletion },
  { weight: 3, arbitrary: streamRead },
  { weight: 1, arbitrary: streamLook },
  { weight: 1, arbitrary: storeRead },
  { weight: 2, arbitrary: storeQuery },
  { weight: 1, arbitrary: listing },
  { weight: 3, arbitrary: snapshot },
);

/** An answer without what differs between two stores by nature: times, and the words of errors. */
async function perform(store: EventStore, run: number, ask: Operation): Promise<string> {
  const hideTime = (name: string, member: unknown): unknown =>
    name === 'timestamp' || name === 'epochUs' ? 0 : member;
  try {
    return JSON.stringify(await ask(store, run), hideTime);
  } catch (error) {
    if (!GaterError.is(error)) throw error;
    return JSON.stringify(error.toData());
  }
}

const MINIMUMS = {
  duplicate: 5,
  id_conflict: 5,
  wrong_expected_version: 40,
  append_condition_failed: 8,
  stream_deleted: 3,
  stream_not_found: 5,
};

/** Counts the answers that need a certain past. */
function countAnswer(reach: Reach<keyof typeof MINIMUMS>, answer: string): void {
  for (const name of Object.keys(MINIMUMS) as (keyof typeof MINIMUMS)[]) {
    if (answer.includes(name === 'duplicate' ? '"duplicate":true' : `"${name}"`)) reach.count(name);
  }
}

/** Compares a store, whose id is `m`, with the memory store. */
export interface StoreModel {
  /** Random operations, one after the other, get the same answers. */
  compareInTurn(): Promise<void>;
  /** Writes that share a transaction get the same answers as one after the other. */
  compareTogether(): Promise<void>;
}

/** Creates the comparison with a store, which must be empty. */
export function createStoreModel(store: EventStore): StoreModel {
  const memory = createMemoryStore({ storeId: 'm' });
  let runs = 0;
  newest.position = 0;
  const notePosition = async (): Promise<void> => {
    const page = await memory.readAll({ storeId: 'm', after: newest.position, limit: 1_000 });
    newest.position = page.lastPosition;
  };
  return {
    async compareInTurn() {
      const reach = countReach(MINIMUMS);
      await fc.assert(
        fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 150 }), async (operations) => {
          runs += 1;
          for (const ask of operations) {
            await notePosition();
            const answer = await perform(store, runs, ask);
            expect(answer).toBe(await perform(memory, runs, ask));
            countAnswer(reach, answer);
          }
        }),
        { numRuns: 30 },
      );
      reach.check();
    },
    async compareTogether() {
      const reach = countReach(MINIMUMS);
      const write = fc.oneof({ weight: 6, arbitrary: append }, { weight: 1, arbitrary: deletion });
      await fc.assert(
        fc.asyncProperty(fc.array(write, { minLength: 2, maxLength: 80 }), async (writes) => {
          runs += 1;
          const run = runs;
          await notePosition();
          const together = await Promise.all(writes.map((ask) => perform(store, run, ask)));
          const inTurn: string[] = [];
          for (const ask of writes) inTurn.push(await perform(memory, run, ask));
          expect(together).toEqual(inTurn);
          for (const answer of together) countAnswer(reach, answer);
        }),
        { numRuns: 30 },
      );
      reach.check();
    },
  };
}
