import type { StorePage } from '@esdb-gater/types';
import { expect, test } from 'vitest';
import { createMemoryStore } from '../memory-store.ts';
import { SHARED_PAGE_EVENTS } from '../tail/page-sharing.ts';
import { createFeedReplaySource, type FedStore } from './feed-replay-source.ts';

const EVENTS = 10_000;

/** A store with many events, and what it was asked. */
async function largeStore() {
  const inner = createMemoryStore({ storeId: 'main' });
  for (let n = 0; n < EVENTS; n += 1_000) {
    const events = Array.from({ length: 1_000 }, (_, index) => ({ type: 'counted', data: n + index }));
    await inner.appendEvents({ storeId: 'main', streamId: 's', events });
  }
  const asked = { reads: 0, atOnce: 0, mostAtOnce: 0 };
  const store: FedStore = {
    storeId: 'main',
    async readAll(...args): Promise<StorePage> {
      asked.reads += 1;
      asked.atOnce += 1;
      asked.mostAtOnce = Math.max(asked.mostAtOnce, asked.atOnce);
      await new Promise(setImmediate);
      asked.atOnce -= 1;
      return inner.readAll(...args);
    },
  };
  return { store, asked };
}

test('many replays of the same events read each page about once, and few at a time [R26] [T35]', async () => {
  const { store, asked } = await largeStore();
  const source = createFeedReplaySource(() => [store]);
  const found = await Promise.all(
    Array.from({ length: 100 }, async (_, reader) => {
      let count = 0;
      // Most match nothing, as the worst replays do.
      const matches = (topic: string): boolean => reader === 0 && topic === 'main.s.counted';
      for await (const page of source.read('main', 0, EVENTS, { matches })) count += page.length;
      return count;
    }),
  );
  expect(found).toEqual([EVENTS, ...Array(99).fill(0)]);
  expect(asked.mostAtOnce).toBeLessThanOrEqual(2);
  expect(asked.reads).toBeLessThan(3 * (EVENTS / SHARED_PAGE_EVENTS));
});

test('the event loop does other work between the pages of replays [R26] [T35]', async () => {
  const { store } = await largeStore();
  const source = createFeedReplaySource(() => [store]);
  let matched = 0;
  let mostInTurn = 0;
  let isRunning = true;
  const watch = (): void => {
    mostInTurn = Math.max(mostInTurn, matched);
    matched = 0;
    if (isRunning) setImmediate(watch);
  };
  setImmediate(watch);
  const matches = (): boolean => {
    matched += 1;
    return false;
  };
  await Promise.all(
    Array.from({ length: 50 }, async () => {
      for await (const _ of source.read('main', 0, EVENTS, { matches }));
    }),
  );
  isRunning = false;
  expect(mostInTurn).toBeGreaterThan(0);
  // 50 replays at once would be 50 pages.
  expect(mostInTurn).toBeLessThanOrEqual(8 * SHARED_PAGE_EVENTS);
});

test('a replay that joins later reads what the others read, from its own position [R26]', async () => {
  const { store, asked } = await largeStore();
  const source = createFeedReplaySource(() => [store]);
  const positions = async (after: number): Promise<number[]> => {
    const all: number[] = [];
    for await (const page of source.read('main', after, EVENTS, {})) {
      all.push(...page.map(({ position }) => position));
    }
    return all;
  };
  const starts = Array.from({ length: 40 }, (_, n) => n * 25);
  const read = await Promise.all(starts.map(positions));
  for (const [index, after] of starts.entries()) {
    expect(read[index]).toEqual(Array.from({ length: EVENTS - after }, (_, n) => after + 1 + n));
  }
  const alone = starts.length * (EVENTS / SHARED_PAGE_EVENTS);
  expect(asked.reads).toBeLessThan(alone / 4);
});

test('a replay that has almost caught up does not wait for its turn behind long ones [12.26]', async () => {
  const { store } = await largeStore();
  const source = createFeedReplaySource(() => [store]);
  let finished = 0;
  const all = Array.from({ length: 50 }, async () => {
    for await (const _ of source.read('main', 0, EVENTS, { matches: () => false }));
    finished += 1;
  });
  await new Promise(setImmediate);
  const pages: number[] = [];
  for await (const page of source.read('main', EVENTS - 5, EVENTS, {})) pages.push(page.length);
  expect([pages, finished]).toEqual([[5], 0]);
  await Promise.all(all);
});

test('a page that cannot be read fails the replays that want it, and is read anew by later ones', async () => {
  const { store } = await largeStore();
  let fails = true;
  const source = createFeedReplaySource(() => [
    {
      ...store,
      async readAll(...args: Parameters<FedStore['readAll']>) {
        await new Promise(setImmediate);
        if (fails) throw new Error('the store is away');
        return store.readAll(...args);
      },
    },
  ]);
  const count = async (): Promise<number> => {
    let found = 0;
    for await (const page of source.read('main', 0, EVENTS, {})) found += page.length;
    return found;
  };
  const failed = await Promise.allSettled([count(), count(), count()]);
  expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  fails = false;
  expect(await count()).toBe(EVENTS);
});
