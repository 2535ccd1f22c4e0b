import { createFakeClock } from '@esdb-gater/primitives/testing';
import type { FedEvent } from '@esdb-gater/types';
import { expect, test } from 'vitest';
import { createMemoryStore } from '../memory-store.ts';
import { eventProof } from '../tail/event-proof.ts';
import { createFeedReplaySource } from './feed-replay-source.ts';

/** Midnight of 2026-01-01. */
const START_MS = Date.UTC(2026, 0);

/** A store with one event per given time, in milliseconds after {@link START_MS}. */
async function storeAt(...times: number[]) {
  const clock = createFakeClock();
  const store = createMemoryStore({ storeId: 'main', clock });
  for (const time of times) {
    clock.setNow(START_MS + time);
    await store.appendEvents({ storeId: 'main', streamId: 'a', events: [{ type: 'x_y', data: time }] });
  }
  return store;
}

async function collect(pages: AsyncIterable<readonly FedEvent[]>): Promise<FedEvent[]> {
  const all: FedEvent[] = [];
  for await (const page of pages) all.push(...page);
  return all;
}

test('a fed event read again is what the feed published', async () => {
  const store = await storeAt(1_000);
  const source = createFeedReplaySource(() => [store], { topicTemplate: '{typePath}' });
  const { events } = await store.readAll({ storeId: 'main' });
  expect(await collect(source.read('main', 0, 1, {}))).toMatchObject([
    {
      proof: eventProof(events[0]?.id ?? ''),
      topic: 'x.y',
      id: events[0]?.id,
      time: '2026-01-01T00:00:01.000Z',
      message: events[0],
      position: 1,
    },
  ]);
});

test('a part of a store is read exactly, page by page', async () => {
  const store = await storeAt(...Array.from({ length: 2_500 }, (_, index) => index));
  const source = createFeedReplaySource(() => [store]);
  const pages: number[] = [];
  const positions: number[] = [];
  for await (const page of source.read('main', 10, 2_300, {})) {
    pages.push(page.length);
    positions.push(...page.map((event) => event.position));
  }
  expect(pages).toEqual([...Array(9).fill(250), 40]);
  expect(positions).toEqual(Array.from({ length: 2_290 }, (_, index) => index + 11));
  expect(await collect(source.read('main', 5, 5, {}))).toEqual([]);
});

test('a time is found as the position before the first event at or after it', async () => {
  const store = await storeAt(1_000, 2_000, 2_000, 2_000, 5_000);
  const source = createFeedReplaySource(() => [store]);
  const at = (ms: number) =>
    source.pointAtTime('main', new Date(START_MS + ms).toISOString()).then(({ position }) => position);
  expect(await Promise.all([0, 1_000, 1_001, 2_000, 2_001, 5_000, 9_000].map(at))).toEqual([
    0, 0, 1, 1, 4, 4, 5,
  ]);
});

test('positions with holes are searched too', async () => {
  const store = await storeAt(1_000, 2_000, 3_000);
  const holes = {
    storeId: 'main',
    async readAll({ after = 0, limit = 100 }) {
      const page = await store.readAll({ storeId: 'main' });
      const events = page.events.map((event) => ({ ...event, position: event.position * 100 }));
      return { events: events.filter((event) => event.position > after).slice(0, limit), lastPosition: 300 };
    },
  };
  const source = createFeedReplaySource(() => [holes]);
  const at = (ms: number) =>
    source.pointAtTime('main', new Date(START_MS + ms).toISOString()).then(({ position }) => position);
  expect(await Promise.all([1_000, 1_500, 2_500, 4_000].map(at))).toEqual([0, 100, 200, 300]);
});

test('a store that is not there has no events', async () => {
  const source = createFeedReplaySource(() => []);
  expect(source.stores()).toEqual([]);
  expect((await source.fedTo('gone')).position).toBe(0);
  expect((await source.pointAtTime('gone', '2026-01-01T00:00:00Z')).position).toBe(0);
  expect(await collect(source.read('gone', 0, 10, {}))).toEqual([]);
});
