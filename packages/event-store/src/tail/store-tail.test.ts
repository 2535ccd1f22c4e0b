import { createFakeClock, type FakeClock } from '@esdb-gater/primitives/testing';
import { type EventStore, GaterError, type ReadAllParams, type StorePage } from '@esdb-gater/types';
import { expect, test } from 'vitest';
import { createMemoryStore } from '../memory-store.ts';
import { eventProof } from './event-proof.ts';
import { createStoreTail, type StoreTail, type TailReadOptions } from './store-tail.ts';
import type { TailPage } from './tail-position.ts';

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** A store whose reads a test can count, fail and hold back, and which it can replace. */
class TestStore {
  readonly storeId = 's';
  inner: EventStore = createMemoryStore({ storeId: 's' });
  replaceable = false;
  reads: ReadAllParams[] = [];
  failure: GaterError | undefined;
  held: Promise<void> | undefined;
  readonly #listeners = new Set<(position: number) => void>();

  async append(count: number, streamId = 'a'): Promise<void> {
    this.tell(await this.appendQuietly(count, streamId));
  }

  /** Appends without telling of it. Resolves to the position. */
  async appendQuietly(count: number, streamId = 'a'): Promise<number> {
    const events = Array.from({ length: count }, (_, data) => ({ type: 't', data }));
    const { position } = await this.inner.appendEvents({ storeId: 's', streamId, events });
    return position;
  }

  tell(position: number): void {
    for (const listener of this.#listeners) listener(position);
  }

  async readAll(params: ReadAllParams): Promise<StorePage> {
    this.reads.push(params);
    if (this.failure !== undefined) throw this.failure;
    const page = await this.inner.readAll(params);
    await this.held;
    return page;
  }

  onCommitted(listener: (position: number) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}

/** Collects what a reader gets. */
function follow(tail: StoreTail, options: Partial<TailReadOptions> = {}) {
  const stop = new AbortController();
  const pages: TailPage[] = [];
  const ended = (async () => {
    for await (const page of tail.read({ after: { position: 0 }, signal: stop.signal, ...options })) {
      pages.push(page);
    }
  })();
  ended.catch(() => {});
  const positions = (): number[] => pages.flatMap(({ events }) => events.map(({ position }) => position));
  return { pages, positions, stop, ended };
}

async function until(holds: () => boolean, clock?: FakeClock): Promise<void> {
  for (let turn = 0; !holds(); turn++) {
    if (turn > 100_000) expect.unreachable('this never happened');
    await (clock === undefined ? nextTurn() : clock.passToNextTimer());
  }
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

test('a reader gets what was there and what is committed later, each event once and in order', async () => {
  const store = new TestStore();
  await store.append(600);
  const clock = createFakeClock();
  const reader = follow(createStoreTail({ store, clock }));
  await until(() => reader.pages.at(-1)?.atEnd === true);
  expect(reader.positions()).toEqual(upTo(600));
  await store.append(2);
  await until(() => reader.positions().length === 602);
  expect(reader.pages.at(-1)).toMatchObject({ atEnd: true, upTo: 602 });
  reader.stop.abort();
  await reader.ended;
  expect(clock.timers).toBe(0);
});

test('an event committed while a shared page is being read is not waited for until the next poll', async () => {
  const store = new TestStore();
  await store.append(1);
  const tail = createStoreTail({ store, clock: createFakeClock() });
  const first = follow(tail);
  await until(() => first.pages.length === 1);
  const { promise, resolve } = Promise.withResolvers<void>();
  store.held = promise;
  await store.append(1);
  await nextTurn();
  // This commit comes after the read of the first reader began, and before the second reader shares it.
  await store.append(1);
  const second = follow(tail, { after: { position: 1 } });
  await nextTurn();
  store.held = undefined;
  resolve();
  await until(() => second.positions().length === 2);
  expect(second.positions()).toEqual([2, 3]);
});

test('readers at the end share one read of each commit', async () => {
  const store = new TestStore();
  await store.append(1);
  const tail = createStoreTail({ store });
  const readers = Array.from({ length: 50 }, () => follow(tail, { after: { position: 1 } }));
  await until(() => readers.every(({ pages }) => pages.length === 1));
  store.reads = [];
  await store.append(1);
  await until(() => readers.every(({ pages }) => pages.length === 2));
  expect(store.reads).toHaveLength(1);
});

test('many readers that are far behind share most of their reads', async () => {
  const store = new TestStore();
  for (let round = 0; round < 10; round++) await store.append(500);
  const tail = createStoreTail({ store });
  const readers = Array.from({ length: 30 }, () => follow(tail));
  await until(() => readers.every(({ pages }) => pages.at(-1)?.atEnd === true));
  expect(readers.every((reader) => reader.positions().length === 5_000)).toBe(true);
  // Each on its own would need 20.
  expect(store.reads.length).toBeLessThan((30 * 20) / 5);
});

test('a store without commits is polled, by one timer for all readers', async () => {
  const store = new TestStore();
  await store.append(1);
  const clock = createFakeClock();
  const polled = { storeId: 's', readAll: (params: ReadAllParams) => store.readAll(params) };
  const tail = createStoreTail({ store: polled, clock }, { pollMs: 300 });
  const readers = [follow(tail), follow(tail)];
  await until(() => readers.every(({ pages }) => pages.length === 1));
  expect(clock.timers).toBe(1);
  await store.append(1);
  await clock.pass(299);
  expect(readers.map((reader) => reader.positions().length)).toEqual([1, 1]);
  await clock.pass(1);
  await until(() => readers.every((reader) => reader.positions().length === 2));
});

test('a failing store is asked again, ever more slowly, and nothing is skipped', async () => {
  const store = new TestStore();
  await store.append(1);
  const clock = createFakeClock();
  const tail = createStoreTail({ store, clock, random: () => 1 });
  const reader = follow(tail);
  await until(() => reader.pages.length === 1);
  store.failure = new GaterError('unavailable', 'away');
  await store.append(1);
  await nextTurn();
  expect(tail.trouble).toBe('waiting for the store: away');
  const before = store.reads.length;
  await clock.pass(700);
  // After 100, 200 and 400 ms.
  expect(store.reads.length - before).toBe(3);
  store.failure = undefined;
  await until(() => reader.positions().length === 2, clock);
  expect([reader.positions(), tail.trouble]).toEqual([[1, 2], undefined]);
});

test('a store that refuses the query ends the reader with its error', async () => {
  const store = new TestStore();
  const reader = follow(createStoreTail({ store }), { query: { items: [{ types: [''] }] } });
  store.failure = new GaterError('not_supported', 'no queries');
  await expect(reader.ended).rejects.toMatchObject({ code: 'not_supported' });
});

test('a reader whose event is gone starts at the last point that the store still has', async () => {
  const store = new TestStore();
  await store.append(3);
  const [first, second] = (await store.inner.readAll({ storeId: 's' })).events;
  const proofOf = (id = ''): string => eventProof(id);
  const reader = follow(createStoreTail({ store }), {
    after: { position: 3, proof: 'othereve' },
    earlier: [
      { position: 2, proof: 'othereve' },
      { position: 1, proof: proofOf(first?.id) },
    ],
  });
  await until(() => reader.pages.length === 1);
  expect(reader.pages[0]).toMatchObject({ wentBackTo: 1, upTo: 3 });
  expect(reader.positions()).toEqual([2, 3]);
  const proven = follow(createStoreTail({ store }), { after: { position: 2, proof: proofOf(second?.id) } });
  await until(() => proven.pages.length === 1);
  expect(proven.pages[0]).not.toHaveProperty('wentBackTo');
});

test('a remote store that another database has replaced is read again from the beginning', async () => {
  const store = new TestStore();
  store.replaceable = true;
  await store.append(3);
  const reader = follow(createStoreTail({ store, clock: createFakeClock() }));
  await until(() => reader.positions().length === 3);
  store.inner = createMemoryStore({ storeId: 's' });
  await store.append(5);
  await until(() => reader.pages.length === 2);
  expect(reader.pages[1]).toMatchObject({ wentBackTo: 0, upTo: 5 });
  expect(reader.positions()).toEqual([1, 2, 3, 1, 2, 3, 4, 5]);
});

test('a position beyond the end without a proof is waited for, and the events up to it are skipped', async () => {
  const store = new TestStore();
  await store.append(1);
  const clock = createFakeClock();
  const reader = follow(createStoreTail({ store, clock }), { after: { position: 3 } });
  await until(() => reader.pages.length === 1);
  await store.append(4);
  await until(() => reader.positions().length === 2);
  expect(reader.positions()).toEqual([4, 5]);
});

test('closing ends all readers', async () => {
  const store = new TestStore();
  const tail = createStoreTail({ store });
  const readers = [follow(tail), follow(tail)];
  await until(() => readers.every(({ pages }) => pages.length === 1));
  expect(await createStoreTail({ store }).newest()).toBe(0);
  tail.close();
  await Promise.all(readers.map(({ ended }) => ended));
});

test('a store that tells of its commits is polled seldom, and often again once it did not tell of one', async () => {
  const store = new TestStore();
  await store.append(1);
  const clock = createFakeClock();
  const reader = follow(createStoreTail({ store, clock }, { pollMs: 5_000, unnotifiedPollMs: 250 }));
  await until(() => reader.positions().length === 1);
  const delayMs = async (): Promise<number> => {
    const [before, reads] = [clock.monotonic(), store.reads.length];
    await until(() => store.reads.length > reads, clock);
    await nextTurn();
    return clock.monotonic() - before;
  };
  expect(await delayMs(), 'it has told of nothing yet').toBe(250);
  await store.append(1);
  await until(() => reader.positions().length === 2);
  expect(await delayMs()).toBe(5_000);
  await store.appendQuietly(1);
  expect(await delayMs()).toBe(5_000);
  await until(() => reader.positions().length === 3);
  expect(await delayMs(), 'it has not told of the last one').toBe(250);
  await store.append(1);
  await until(() => reader.positions().length === 4);
  expect(await delayMs()).toBe(5_000);
  store.tell(0);
  await nextTurn();
  await nextTurn();
  expect(await delayMs(), 'it says that it may have missed to').toBe(250);
  reader.stop.abort();
  await reader.ended;
  expect(clock.timers).toBe(0);
});
