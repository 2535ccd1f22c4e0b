import { createFakeClock } from '@esdb-gater/primitives/testing';
import {
  type EventStore,
  GaterError,
  type GetEventsParams,
  type NewEvent,
  type ReadAllParams,
  type RecordedEvent,
} from '@esdb-gater/types';
import { expect, test } from 'vitest';
import { createMemoryStore } from '../memory-store.ts';
import { createStoreTail } from '../tail/store-tail.ts';
import type { FollowStore } from './follow-store.ts';
import type { FollowSink } from './follower.ts';
import { createStoreFollows, type FollowParams } from './store-follows.ts';

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; !holds(); turn++) {
    if (turn > 100_000) expect.unreachable('this never happened');
    await nextTurn();
  }
}

/** A store whose reads are counted, and whose database a test can replace. */
class TestStore implements FollowStore {
  readonly storeId = 's';
  replaceable = true;
  inner: EventStore = createMemoryStore({ storeId: 's' });
  reads = 0;
  queries = 0;
  failure: GaterError | undefined;
  /** Holds back what `readAll` has read. */
  held: Promise<void> | undefined;
  readonly #listeners = new Set<(position: number) => void>();

  async append(streamId: string, count = 1, event: Partial<NewEvent> = {}): Promise<number> {
    const events = Array.from({ length: count }, (_, data) => ({ type: 't', data, ...event }));
    const { position } = await this.inner.appendEvents({ storeId: 's', streamId, events });
    for (const listener of this.#listeners) listener(position);
    return position;
  }

  async readAll(params: ReadAllParams) {
    this.#read();
    if (params.query !== undefined) {
      this.queries += 1;
      throw new GaterError('not_supported', 'no queries here');
    }
    const page = await this.inner.readAll(params);
    await this.held;
    return page;
  }

  async getEvents(params: GetEventsParams) {
    this.#read();
    return this.inner.getEvents(params);
  }

  onCommitted(listener: (position: number) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #read(): void {
    this.reads += 1;
    if (this.failure !== undefined) throw this.failure;
  }
}

/** A reader that takes as much as the test allows. */
class TestSink implements FollowSink {
  readonly log: string[] = [];
  readonly positions: number[] = [];
  room = Number.POSITIVE_INFINITY;
  readonly #waiting = new Set<() => void>();

  isReady = (): boolean => this.room > 0;

  whenReady(signal: AbortSignal): Promise<void> {
    if (this.isReady() || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.add(resolve);
      signal.addEventListener('abort', () => resolve());
    });
  }

  take(count: number): void {
    this.room = count;
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  followed(text: string): void {
    this.room -= 1;
    this.positions.push((JSON.parse(text) as RecordedEvent).position);
  }

  caughtUp = (position: number): void => void this.log.push(`caughtUp ${position}`);
  fellBehind = (position: number): void => void this.log.push(`fellBehind ${position}`);
  failed = (error: GaterError): void => void this.log.push(`failed ${error.code}`);
}

function setUp(options: { readonly keptBytes?: number } = {}) {
  const store = new TestStore();
  const clock = createFakeClock();
  const tail = createStoreTail({ store, clock });
  const follows = createStoreFollows({ store, tail, clock, random: () => 1 }, options);
  return {
    store,
    clock,
    follows,
    async follow(params: Partial<FollowParams> = {}, sink = new TestSink()) {
      const follow = await follows.follow({ after: 0, ...params }, sink);
      follow.begin();
      return Object.assign(sink, { follow });
    },
  };
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

test('a store is caught up with and goes on live, each event once and in order', async () => {
  const { store, follow } = setUp();
  await store.append('a', 600);
  const reader = await follow();
  await until(() => reader.log.length === 1);
  await store.append('b', 3);
  await until(() => reader.positions.length === 603);
  expect(reader.positions).toEqual(range(1, 603));
  expect(reader.log).toEqual(['caughtUp 600']);
});

test('a stream is followed from a position, in a long stream with few reads', async () => {
  const { store, follow } = setUp();
  for (let round = 0; round < 40; round++) {
    await store.append('a', 25);
    await store.append('b', 5);
  }
  const before = store.reads;
  const reader = await follow({ streamId: 'a', after: 1_000 });
  await until(() => reader.log.length === 1);
  expect(store.reads - before).toBeLessThan(16);
  await store.append('b');
  const last = await store.append('a');
  await until(() => reader.positions.at(-1) === last);
  const { events } = await store.inner.getEvents({
    storeId: 's',
    streamId: 'a',
    count: 1_000,
    startVersion: 800,
  });
  const wanted = events.map(({ position }) => position).filter((position) => position > 1_000);
  expect(reader.positions).toEqual(wanted);
});

test('an event that a follow has read before the newest events have it is not sent twice', async () => {
  const { store, follow, follows } = setUp();
  await store.append('a');
  const first = await follow({ streamId: 'a' });
  const sink = new TestSink();
  const second = await follows.follow({ after: 0, streamId: 'a' }, sink);
  await until(() => first.log.length === 1);
  const { promise, resolve } = Promise.withResolvers<void>();
  store.held = promise;
  await store.append('a');
  second.begin();
  await until(() => sink.log.length === 1);
  expect(first.positions).toEqual([1]);
  expect(sink.positions).toEqual([1, 2]);
  store.held = undefined;
  resolve();
  await store.append('a');
  await until(() => first.positions.length === 3);
  expect(sink.positions).toEqual([1, 2, 3]);
});

test('a stream that does not exist yet is waited for', async () => {
  const { store, follow } = setUp();
  await store.append('other');
  const reader = await follow({ streamId: 'a' });
  await until(() => reader.log.length === 1);
  expect(reader.log).toEqual(['caughtUp 1']);
  await store.append('a', 2);
  await until(() => reader.positions.length === 2);
  expect(reader.positions).toEqual([2, 3]);
});

test('a stream that is deleted goes on when it begins again', async () => {
  const { store, follow } = setUp();
  await store.append('a', 2);
  const early = await follow({ streamId: 'a' });
  await until(() => early.log.length === 1);
  await store.inner.deleteStream({ storeId: 's', streamId: 'a' });
  const late = await follow({ streamId: 'a' });
  await until(() => late.log.length === 1);
  await store.append('a', 2);
  await until(() => early.positions.length === 4 && late.positions.length === 2);
  expect(early.positions).toEqual([1, 2, 3, 4]);
  expect(late.positions).toEqual([3, 4]);
});

test('a query is followed also where the worker of the store does not know queries', async () => {
  const { store, follow } = setUp();
  const query = { items: [{ types: ['paid'], tags: ['x', 'y'] }, { types: ['late'] }] };
  await store.append('a', 1, { type: 'paid', tags: ['x'] });
  await store.append('a', 1, { type: 'paid', tags: ['y', 'x'] });
  const reader = await follow({ query });
  await until(() => reader.log.length === 1);
  await store.append('b', 1, { type: 'late' });
  await store.append('b', 1, { type: 'other' });
  await store.append('b', 1, { type: 'paid', tags: ['x', 'y', 'z'] });
  await until(() => reader.positions.length === 3);
  expect(reader.positions).toEqual([2, 3, 5]);
  expect(store.queries).toBe(1);
});

test('five hundred followers of a stream cost no more reads per commit than one', async () => {
  const { store, follow } = setUp();
  await store.append('a', 10);
  const readers = await Promise.all(range(1, 500).map(() => follow({ streamId: 'a' })));
  await until(() => readers.every(({ log }) => log.length === 1));
  const before = store.reads;
  for (let commit = 0; commit < 20; commit++) {
    const position = await store.append('a');
    await until(() => readers.every(({ positions }) => positions.at(-1) === position));
  }
  // One page, and with a store that can be replaced a proof that it is the same.
  expect(store.reads - before).toBeLessThanOrEqual(40);
  for (const { positions } of readers) expect(positions).toEqual(range(1, 30));
});

test('a reader that is a little slow continues from the newest events, and is not told', async () => {
  const { store, follow } = setUp();
  const reader = await follow({ streamId: 'a' });
  await until(() => reader.log.length === 1);
  reader.take(3);
  await store.append('a', 10);
  await until(() => reader.positions.length === 3);
  const before = store.reads;
  reader.take(Number.POSITIVE_INFINITY);
  await until(() => reader.positions.length === 10);
  await store.append('a', 1);
  await until(() => reader.positions.length === 11);
  expect(reader.positions).toEqual(range(1, 11));
  expect(reader.log).toEqual(['caughtUp 0']);
  expect(store.reads - before).toBeLessThanOrEqual(3);
});

test.each([{ streamId: 'a' }, {}])(
  'a slow reader is held back, told that it fell behind, and told when it has caught up, %j',
  async (selection) => {
    const { store, follow } = setUp({ keptBytes: 2_000 });
    const reader = await follow(selection);
    await until(() => reader.log.length === 1);
    reader.take(5);
    await store.append('a', 300);
    await until(() => reader.positions.length === 5);
    for (let commit = 0; commit < 10; commit++) await store.append('a', 10);
    await nextTurn();
    expect(reader.positions).toEqual(range(1, 5));
    reader.take(120);
    await until(() => reader.positions.length === 125);
    expect(reader.log).toEqual(['caughtUp 0', 'fellBehind 5']);
    reader.take(Number.POSITIVE_INFINITY);
    await until(() => reader.log.length === 3);
    await store.append('a', 1);
    await until(() => reader.positions.length === 401);
    expect(reader.positions).toEqual(range(1, 401));
    expect(reader.log).toEqual(['caughtUp 0', 'fellBehind 5', 'caughtUp 400']);
  },
);

test.each([{ streamId: 'a' }, {}])(
  'a store that is away for a while loses nothing, %j',
  async (selection) => {
    const { store, follow, clock } = setUp();
    await store.append('a', 2);
    const live = await follow(selection);
    await until(() => live.log.length === 1);
    store.failure = new GaterError('unavailable', 'gone');
    await store.append('a', 2);
    for (let retry = 0; retry < 5; retry++) await clock.passToNextTimer();
    store.failure = undefined;
    await store.append('a', 2);
    for (let turn = 0; live.positions.length < 6; turn++) {
      if (turn > 1_000) expect.unreachable('the events never came');
      await clock.passToNextTimer();
    }
    expect(live.positions).toEqual(range(1, 6));
  },
);

test.each([{ streamId: 'a' }, {}])(
  'a store that is restored under a follow is read again from the last point that it proves, %j',
  async (selection) => {
    const { store, follow } = setUp();
    const reader = await follow(selection);
    await until(() => reader.log.length === 1);
    await store.append('a', 4);
    await until(() => reader.positions.length === 4);
    store.inner = createMemoryStore({ storeId: 's' });
    await store.append('a', 6);
    await until(() => reader.positions.length === 10 && reader.log.length === 3);
    expect(reader.positions).toEqual([1, 2, 3, 4, ...range(1, 6)]);
    expect(reader.log).toEqual(['caughtUp 0', 'fellBehind 0', 'caughtUp 6']);
  },
);

test('a position that the store does not reach, or of another event, is lost', async () => {
  const { store, follow } = setUp();
  await store.append('a', 2);
  await store.append('b', 1);
  const { events } = await store.inner.readAll({ storeId: 's' });
  const [, second, third] = events as readonly RecordedEvent[];
  const lost = { code: 'invalid_argument', details: { reason: 'position_lost', newest: 3 } };
  await expect(follow({ after: 4 })).rejects.toMatchObject(lost);
  await expect(follow({ after: 2, afterId: third?.id ?? '' })).rejects.toMatchObject(lost);
  // Who follows one stream cannot find out the ids of another.
  await expect(follow({ after: 3, afterId: third?.id ?? '', streamId: 'a' })).rejects.toMatchObject(lost);
  const reader = await follow({ after: 2, afterId: second?.id.toUpperCase() ?? '' });
  await until(() => reader.log.length === 1);
  expect(reader.positions).toEqual([3]);
});

test('nothing is read any more, and no timer is left, once all follows have ended', async () => {
  const { store, follow, follows, clock } = setUp();
  const readers = await Promise.all([follow(), follow({ streamId: 'a' }), follow({ streamId: 'b' })]);
  await until(() => readers.every(({ log }) => log.length === 1));
  for (const { follow: one } of readers) one.close();
  expect(follows.size).toBe(0);
  await nextTurn();
  expect(clock.timers).toBe(0);
  const before = store.reads;
  await store.append('a', 3);
  await nextTurn();
  expect(store.reads).toBe(before);
  expect(readers.flatMap(({ positions }) => positions)).toEqual([]);
});
