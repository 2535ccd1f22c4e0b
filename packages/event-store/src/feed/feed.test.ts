import { createFakeClock } from '@esdb-gater/primitives/testing';
import {
  type FeedCheckpoint,
  type FeedPosition,
  GaterError,
  type OutgoingRecord,
  type StorePage,
} from '@esdb-gater/types';
import { afterEach, expect, test } from 'vitest';
import { createMemoryStore } from '../memory-store.ts';
import { createFeed, type Feed, type FeedComponents } from './feed.ts';
import type { FeedOptions } from './feed-options.ts';

const open: Feed[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((feed) => feed.close()));
});

/** Delays that are short, as errors of these tests are many. */
function start(components: FeedComponents, options: FeedOptions = {}): Feed {
  const feed = createFeed(components, { baseDelayMs: 1, maxDelayMs: 4, checkpointDelayMs: 5, ...options });
  open.push(feed);
  return feed;
}

/** A broker that keeps what it accepts, and refuses when told to. */
function recordingBroker(refuse: (record: OutgoingRecord) => GaterError | undefined = () => undefined) {
  const records: OutgoingRecord[] = [];
  let inFlight = 0;
  let mostInFlight = 0;
  const broker = {
    async append(channel: string, record: OutgoingRecord): Promise<{ position?: string }> {
      expect(channel).toBe('events');
      inFlight += 1;
      mostInFlight = Math.max(mostInFlight, inFlight);
      await Promise.resolve();
      inFlight -= 1;
      const error = refuse(record);
      if (error !== undefined) throw error;
      records.push(record);
      return {};
    },
  };
  return {
    broker,
    records,
    mostInFlight: () => mostInFlight,
    positions: () => records.map((one) => one.fed?.position),
  };
}

function memoryCheckpoint(saved: FeedPosition = { position: 0 }): FeedCheckpoint & { saves: FeedPosition[] } {
  const saves: FeedPosition[] = [];
  return {
    saves,
    load: async () => saves.at(-1) ?? saved,
    save: async (position) => {
      saves.push(position);
    },
  };
}

async function storeWith(counts: Record<string, number>) {
  const store = createMemoryStore({ storeId: 'main' });
  const append = (streamId: string, count = 1) =>
    store.appendEvents({
      storeId: 'main',
      streamId,
      events: Array.from({ length: count }, (_, index) => ({ type: 'thing_done', data: index })),
    });
  for (const [streamId, count] of Object.entries(counts)) await append(streamId, count);
  return { store, append };
}

/** True about once in `n` calls, the same in every run (a linear congruential generator). */
function oneIn(n: number): () => boolean {
  let state = 1;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31 < 1 / n;
  };
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

test('every committed event is published in order, those from before the start and those that come later', async () => {
  const { store, append } = await storeWith({ a: 3, b: 2 });
  const { broker, positions, records } = recordingBroker();
  const feed = start({ source: store, broker });
  await feed.caughtUp();
  expect(positions()).toEqual(range(1, 5));
  await append('a', 2);
  await feed.caughtUp();
  expect(positions()).toEqual(range(1, 7));
  expect(records[0]?.topic).toBe('main.a.thing_done');
  const { events } = await store.readAll({ storeId: 'main' });
  expect(records.map((record) => record.message)).toEqual(events);
});

test('a commit wakes the feed without waiting for the poll', async () => {
  const { store, append } = await storeWith({});
  const heard = Promise.withResolvers<void>();
  const publish = async (): Promise<void> => heard.resolve();
  start({ source: store, publish }, { pollMs: 3_600_000 });
  await append('a');
  await heard.promise;
});

test('a store that does not tell of commits is polled', async () => {
  const { store, append } = await storeWith({});
  const second = Promise.withResolvers<void>();
  const { broker, records } = recordingBroker();
  const source = { storeId: 'main', readAll: store.readAll.bind(store) };
  const publish = async (record: OutgoingRecord): Promise<void> => {
    await broker.append('events', record);
    if (records.length === 2) second.resolve();
  };
  start({ source, publish }, { pollMs: 1 });
  await append('a');
  await append('a');
  await second.promise;
});

test('the feed goes on after its checkpoint', async () => {
  const { store } = await storeWith({ a: 5 });
  const { broker, positions } = recordingBroker();
  await start({ source: store, broker, checkpoint: memoryCheckpoint({ position: 3 }) }).caughtUp();
  expect(positions()).toEqual([4, 5]);
});

test('the checkpoint is never ahead of what the broker accepted', async () => {
  const { store } = await storeWith({ a: 40 });
  const accepted = new Set<number>();
  const fails = oneIn(7);
  const { broker } = recordingBroker((record) => {
    const position = record.fed?.position as number;
    if (fails()) return new GaterError('unavailable', 'no');
    accepted.add(position);
    return undefined;
  });
  const wrong: number[] = [];
  const checkpoint = memoryCheckpoint();
  const save = checkpoint.save;
  checkpoint.save = async (point) => {
    if (!range(1, point.position).every((one) => accepted.has(one))) wrong.push(point.position);
    return save(point);
  };
  const feed = start({ source: store, broker, checkpoint }, { maxInFlight: 8, checkpointEvents: 1 });
  await feed.caughtUp();
  await feed.close();
  expect(wrong).toEqual([]);
  expect(checkpoint.saves.at(-1)?.position).toBe(40);
});

test('the checkpoint is saved lazily, and at close', async () => {
  const { store } = await storeWith({ a: 100 });
  const checkpoint = memoryCheckpoint();
  const { broker } = recordingBroker();
  const feed = start({ source: store, broker, checkpoint }, { maxInFlight: 1, checkpointDelayMs: 60_000 });
  await feed.caughtUp();
  expect(checkpoint.saves).toEqual([]);
  await feed.close();
  expect(checkpoint.saves).toMatchObject([{ position: 100 }]);
});

test('a checkpoint that cannot be saved stops nothing and is made up for', async () => {
  const { store, append } = await storeWith({ a: 1 });
  const checkpoint = memoryCheckpoint();
  const save = checkpoint.save;
  let failures = 2;
  checkpoint.save = async (position) => {
    failures -= 1;
    if (failures >= 0) throw new GaterError('unavailable', 'disk full');
    return save(position);
  };
  const { broker, positions } = recordingBroker();
  const feed = start({ source: store, broker, checkpoint }, { checkpointEvents: 1 });
  for (let index = 0; index < 5; index += 1) {
    await append('a');
    await feed.caughtUp();
  }
  await feed.close();
  expect(positions()).toEqual(range(1, 6));
  expect(checkpoint.saves.at(-1)?.position).toBe(6);
});

test('the feed keeps going after broker errors: everything at least once, in stream order', async () => {
  const { store } = await storeWith({ a: 20, b: 20, c: 20 });
  const fails = oneIn(5);
  const { broker, records } = recordingBroker(() =>
    fails() ? new GaterError('unavailable', 'the broker is away') : undefined,
  );
  const feed = start({ source: store, broker }, { maxInFlight: 16 });
  await feed.caughtUp();
  const firstSeen = new Map<string, number>();
  const lastSeen = new Map<string, number>();
  for (const record of records) {
    const { streamId, version } = record.message as { streamId: string; version: number };
    if (!firstSeen.has(`${streamId} ${version}`)) firstSeen.set(`${streamId} ${version}`, version);
    lastSeen.set(streamId, version);
  }
  expect(firstSeen.size).toBe(60);
  expect([...lastSeen.values()]).toEqual([19, 19, 19]);
  expect(feed.health()).toEqual({ status: 'healthy', position: 60 });
});

test('after a failure the later events of that stream are published again behind it, others are not', async () => {
  const { store } = await storeWith({ a: 3, b: 2 });
  let failed = false;
  const { broker, positions } = recordingBroker((record) => {
    if (failed || record.fed?.position !== 2) return undefined;
    failed = true;
    return new GaterError('unavailable', 'once');
  });
  await start({ source: store, broker }).caughtUp();
  expect(positions()).toEqual([1, 3, 4, 5, 2, 3]);
});

test('what is in flight is bounded', async () => {
  const { store } = await storeWith({ a: 100 });
  const { broker, mostInFlight } = recordingBroker();
  await start({ source: store, broker }, { maxInFlight: 10 }).caughtUp();
  expect(mostInFlight()).toBe(10);
});

test('a store that cannot be read for a while is read again', async () => {
  const { store } = await storeWith({ a: 3 });
  let failures = 3;
  const source = {
    storeId: 'main',
    async readAll(...args: Parameters<typeof store.readAll>): Promise<StorePage> {
      failures -= 1;
      if (failures >= 0) throw new GaterError('no_workers', 'nobody');
      return store.readAll(...args);
    },
  };
  const { broker, positions } = recordingBroker();
  const feed = start({ source, broker }, { pollMs: 1 });
  while (feed.position < 3) await new Promise(setImmediate);
  expect(positions()).toEqual([1, 2, 3]);
});

test('health says what the feed waits for', async () => {
  const { store } = await storeWith({ a: 1 });
  const tried = Promise.withResolvers<void>();
  const publish = async (): Promise<void> => {
    setImmediate(tried.resolve);
    throw new GaterError('unavailable', 'no broker');
  };
  const feed = start({ source: store, publish });
  await tried.promise;
  expect(feed.health()).toMatchObject({ status: 'degraded', message: 'waiting for the broker: no broker' });
});

test('the delay after an error is not cut short by a wake-up, but by the end', async () => {
  const { store, append } = await storeWith({ a: 1 });
  const clock = createFakeClock();
  let attempts = 0;
  const publish = async (): Promise<void> => {
    attempts += 1;
    throw new GaterError('unavailable', 'no broker');
  };
  const feed = start(
    { source: store, publish, clock, random: () => 1 },
    { baseDelayMs: 1_000, maxDelayMs: 1_000 },
  );
  while (feed.health().status === 'healthy') await new Promise(setImmediate);
  await append('a');
  await new Promise(setImmediate);
  expect(attempts).toBe(1);
  clock.advance(1_000);
  await new Promise(setImmediate);
  expect(attempts).toBe(2);
  await feed.close();
  expect(clock.timers).toBe(0);
});

test('an event that the broker can never take does not stop the feed for ever, and is logged', async () => {
  const { store } = await storeWith({ a: 3 });
  const logged: object[] = [];
  const logger = { debug() {}, info() {}, warn() {}, error: (fields: object) => void logged.push(fields) };
  const { broker, positions } = recordingBroker((record) =>
    record.fed?.position === 2 ? new GaterError('payload_too_large', 'no') : undefined,
  );
  const feed = start({ source: store, broker, logger });
  await feed.caughtUp();
  expect(new Set(positions())).toEqual(new Set([1, 3]));
  expect(logged).toMatchObject([{ fed: { position: 2 } }]);
});

test('caughtUp ends when its caller no longer waits', async () => {
  const { store } = await storeWith({ a: 1 });
  const feed = start({ source: store, publish: () => new Promise(() => {}) }, { closeGraceMs: 1 });
  await expect(feed.caughtUp({ signal: AbortSignal.timeout(5) })).rejects.toMatchObject({ code: 'timeout' });
  // The broker of this test never answers, also not when it is cut off.
  open.length = 0;
});

test('close waits for what is in flight', async () => {
  const { store } = await storeWith({ a: 1 });
  const started = Promise.withResolvers<void>();
  const accepted = Promise.withResolvers<void>();
  const checkpoint = memoryCheckpoint();
  const publish = (): Promise<void> => {
    started.resolve();
    return accepted.promise;
  };
  const feed = start({ source: store, publish, checkpoint });
  await started.promise;
  const closed = feed.close();
  accepted.resolve();
  await closed;
  expect(checkpoint.saves).toMatchObject([{ position: 1 }]);
});

/** A store whose events can be exchanged, as behind a remote worker. */
function exchangeable() {
  let inner = createMemoryStore({ storeId: 'main' });
  const append = (count: number) =>
    inner.appendEvents({
      storeId: 'main',
      streamId: 's',
      events: Array.from({ length: count }, (_, index) => ({ type: 'thing_done', data: index })),
    });
  return {
    append,
    /** The store begins anew, with as many of its events as are kept, and others behind them. */
    async replace(kept: number, count: number) {
      const { events } = await inner.readAll({ storeId: 'main', limit: 1_000 });
      inner = createMemoryStore({ storeId: 'main' });
      for (const { id, type, data } of events.slice(0, kept)) {
        await inner.appendEvents({ storeId: 'main', streamId: 's', events: [{ id, type, data }] });
      }
      if (count > 0) await append(count);
    },
    source: {
      storeId: 'main',
      replaceable: true,
      readAll: (...args: Parameters<typeof inner.readAll>) => inner.readAll(...args),
    },
  };
}

test.each([
  ['at lower positions', 0, 3, 0],
  ['and was written past the feed', 0, 30, 0],
  ['from a backup', 8, 1, 8],
  ['from a backup, and was written past the feed', 8, 30, 8],
])(
  'a store that is begun anew %s is fed from the last proven point [R12] [F26]',
  async (_, kept, count, from) => {
    const { source, append, replace } = exchangeable();
    const { broker, positions, records } = recordingBroker();
    const checkpoint = memoryCheckpoint();
    const options = { maxInFlight: 1, checkpointEvents: 1 };
    const first = start({ source, broker, checkpoint }, options);
    await append(20);
    await first.caughtUp();
    // Running: the feed notices by itself. Then stopped: it notices at its start.
    for (const restart of [false, true]) {
      if (restart) await first.close();
      const before = records.length;
      await replace(kept, count);
      const feed = restart ? start({ source, broker, checkpoint }, options) : first;
      await feed.caughtUp();
      const again = new Set(positions().slice(before));
      expect(range(kept + 1, kept + count).filter((one) => !again.has(one))).toEqual([]);
      // Not from the beginning, but from a checkpoint before the last common event.
      expect(Math.min(...(positions().slice(before) as number[])) > 1).toBe(from > 0);
      expect(records[before]?.fed?.wentBack).toBe(true);
      expect(feed.health()).toMatchObject({ status: 'degraded', position: kept + count });
      expect(feed.health().message).toMatch(/no longer has the event at position/);
    }
  },
);

test('a feed that went back starts where it was after a restart, and is healthy then [R12]', async () => {
  const { source, append, replace } = exchangeable();
  const { broker, records } = recordingBroker();
  const checkpoint = memoryCheckpoint();
  const feed = start({ source, broker, checkpoint });
  await append(9);
  await feed.caughtUp();
  await replace(0, 2);
  await feed.caughtUp();
  await feed.close();
  expect(checkpoint.saves.at(-1)).toMatchObject({ position: 2, turn: 1 });
  const before = records.length;
  const again = start({ source, broker, checkpoint });
  await again.caughtUp();
  expect(records.length).toBe(before);
  expect(again.health()).toEqual({ status: 'healthy', position: 2 });
});

test('a checkpoint of a release without proofs is gone on from, if the store reaches so far [R12]', async () => {
  const { store } = await storeWith({ a: 5 });
  const { broker, positions } = recordingBroker();
  await start({ source: store, broker, checkpoint: memoryCheckpoint({ position: 3 }) }).caughtUp();
  expect(positions()).toEqual([4, 5]);
  const beyond = start({ source: store, broker, checkpoint: memoryCheckpoint({ position: 9 }) });
  await beyond.caughtUp();
  expect(positions().slice(2)).toEqual(range(1, 5));
});

test.each([
  ['a huge `lastPosition`', (page: StorePage) => ({ ...page, lastPosition: Number.MAX_SAFE_INTEGER })],
  ['no events and a `next`', (page: StorePage) => ({ ...page, events: [], next: 7 })],
  ['events at or below `after`', (page: StorePage) => ({ ...page, events: page.events.toReversed() })],
])('a page with %s makes the feed skip nothing [R12]', async (_, distort) => {
  const { store, append } = await storeWith({ a: 3 });
  let pages = 0;
  const source = {
    storeId: 'main',
    async readAll(...args: Parameters<typeof store.readAll>): Promise<StorePage> {
      const page = await store.readAll(...args);
      return pages++ < 3 ? distort(page) : page;
    },
  };
  const { broker, positions } = recordingBroker();
  const feed = start({ source, broker }, { pollMs: 1 });
  while (feed.position < 3) await new Promise(setImmediate);
  await append('a', 2);
  while (feed.position < 5) await new Promise(setImmediate);
  expect(positions()).toEqual(range(1, 5));
});

test('what a store still keeps is published without reading it, after the answers of the turn it was committed in', async () => {
  const { store, append } = await storeWith({ a: 1 });
  const { broker, positions, records } = recordingBroker();
  let reads = 0;
  let kept: StorePage | undefined;
  const source = {
    storeId: 'main',
    onCommitted: store.onCommitted.bind(store),
    readAll: (params: Parameters<typeof store.readAll>[0]) => {
      reads += 1;
      return store.readAll(params);
    },
    newestEvents: (after: number) => (after === 1 ? kept : undefined),
  };
  const feed = start({ source, broker }, { pollMs: 3_600_000 });
  await feed.caughtUp();
  expect(positions()).toEqual([1]);
  await append('a', 2);
  kept = await store.readAll({ storeId: 'main', after: 1 });
  const before = reads;
  await new Promise<void>((resolve) => {
    // An answer leaves at the end of the turn.
    setImmediate(() => {
      expect(positions()).toEqual([1]);
      resolve();
    });
  });
  while (positions().length < 3) await new Promise((resolve) => setImmediate(resolve));
  expect(reads).toBe(before);
  expect(records.map((record) => record.message)).toEqual((await store.readAll({ storeId: 'main' })).events);
});
