import { createMemoryStore } from '@esdb-gater/event-store';
import type { AppendEventsParams, EventStore, NewEvent, RecordedEvent } from '@esdb-gater/types';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { postgresUnavailable, type RunningPostgres, startPostgres } from '../../../tools/postgres/index.ts';
import { openPostgresStore, type PostgresStore } from '../src/postgres-store.ts';
import { readEverything, STORE_ID } from './support/stores.ts';

const reason = postgresUnavailable();
const name = reason === undefined ? 'PostgreSQL' : `PostgreSQL (${reason})`;

/** What may have happened to a stream before. */
const PASTS = ['missing', 'written', 'deleted', 'written again'] as const;
/** Any, none, exists, the versions that the pasts lead to, and one that none does. */
const EXPECTED = [-2, -1, -4, 0, 1, 7];
const CONTENTS = [
  { data: { text: 'a\u0000b' } },
  { dataBase64: 'AAEC', contentType: 'image/png', tags: ['one'] },
  { data: null, tags: ['one', 'two', 'one'], metadata: { user: 1 } },
];

describe.skipIf(reason !== undefined)(name, () => {
  let postgres: RunningPostgres;
  let store: PostgresStore | undefined;

  beforeAll(async () => {
    postgres = await startPostgres({ settings: ['fsync = off'] });
  });
  afterEach(() => store?.close());
  afterAll(() => postgres?.stop());

  test.each([
    ['that share a transaction', inOneTurn],
    ['that have a transaction each', oneAfterTheOther],
  ])('appends %s get the same answers as one after the other in the memory store', async (_, run) => {
    store = await openPostgresStore({ storeId: STORE_ID, url: postgres.url, schema: run.name });
    const memory = createMemoryStore({ storeId: STORE_ID });
    let streams = 0;
    for (const past of PASTS) {
      for (const expectedVersion of EXPECTED) {
        streams += 1;
        const known = crypto.randomUUID();
        for (const one of [store, memory]) await prepare(one, `checked-${streams}`, past, known);
        // The last repeats an event.
        const batch = batchOf(streams, expectedVersion, known);
        const expected = await oneAfterTheOther(memory, batch);
        expect((await run(store, batch)).map(outcomeOf)).toEqual(expected.map(outcomeOf));
      }
    }
    const timeless = (events: readonly RecordedEvent[]) =>
      events.map(({ timestamp: _, epochUs: __, ...event }) => event);
    expect(timeless(await readEverything(store))).toEqual(timeless(await readEverything(memory)));
    for (const tag of ['one', 'two']) {
      const query = { items: [{ tags: [tag] }] };
      const ask = async (of: EventStore) => of.queryEvents({ storeId: STORE_ID, query, limit: 1_000 });
      const [ours, theirs] = [await ask(store), await ask(memory)];
      expect(ours.events.length).toBeGreaterThan(0);
      expect(timeless(ours.events)).toEqual(timeless(theirs.events));
    }
  });

  function batchOf(number: number, expectedVersion: number, known: string): AppendEventsParams[] {
    const others = CONTENTS.map((content, index) => ({
      storeId: STORE_ID,
      streamId: `other-${number % 4}-${index}`,
      events: [eventOf(content)],
    }));
    const upper = { ...eventOf({ data: 1 }), id: crypto.randomUUID().toUpperCase() };
    return [
      ...others,
      {
        storeId: STORE_ID,
        streamId: `checked-${number}`,
        expectedVersion,
        events: [eventOf({ data: number })],
      },
      { storeId: STORE_ID, streamId: `new-${number}`, expectedVersion: -1, events: [upper] },
      // Every fifth batch has one whose event is there already, in this stream or in another one.
      ...(number % 5 === 0
        ? [
            {
              storeId: STORE_ID,
              streamId: `known-${number}`,
              events: [{ type: 'known', data: 1, id: known }],
            },
          ]
        : []),
    ];
  }
});

type Settled = PromiseSettledResult<object>[];

/** Makes the appends one batch. */
function inOneTurn(store: EventStore, batch: readonly AppendEventsParams[]): Promise<Settled> {
  return Promise.allSettled(batch.map((params) => store.appendEvents(params)));
}

async function oneAfterTheOther(store: EventStore, batch: readonly AppendEventsParams[]): Promise<Settled> {
  const settled: Settled = [];
  for (const params of batch) settled.push(...(await Promise.allSettled([store.appendEvents(params)])));
  return settled;
}

/** Brings a stream, and one with a known event, to where a batch finds them. */
async function prepare(
  store: EventStore,
  streamId: string,
  past: (typeof PASTS)[number],
  known: string,
): Promise<void> {
  const at = { storeId: STORE_ID, streamId };
  // The ids differ between the stores, and nobody compares them.
  const event = { type: 'before', data: 0, id: '00000000-0000-7000-8000-000000000001' };
  if (past !== 'missing') await store.appendEvents({ ...at, events: [event] });
  if (past === 'deleted' || past === 'written again') await store.deleteStream(at);
  if (past === 'written again') {
    await store.appendEvents({
      ...at,
      events: [{ ...event, id: '00000000-0000-7000-8000-000000000002' }],
    });
  }
  const number = streamId.replace('checked-', '');
  const knownAt = past === 'deleted' ? `elsewhere-${number}` : `known-${number}`;
  await store.appendEvents({
    storeId: STORE_ID,
    streamId: knownAt,
    events: [{ type: 'known', data: 1, id: known }],
  });
}

function eventOf(content: object): NewEvent & { readonly id: string } {
  return { type: 'happened', id: crypto.randomUUID(), ...content } as NewEvent & { readonly id: string };
}

/** What a caller gets, without what differs between stores. */
function outcomeOf(settled: PromiseSettledResult<object>): object {
  if (settled.status === 'fulfilled') return settled.value;
  const { code, actual, expected, reason: why } = settled.reason as Record<string, unknown>;
  return { code, actual, expected, reason: why };
}
