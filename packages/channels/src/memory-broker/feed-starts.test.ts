import { nextTurn } from '@esdb-gater/primitives';
import { createFakeClock } from '@esdb-gater/primitives/testing';
import { type Logger, type StorePoint, silentLogger } from '@esdb-gater/types';
import { expect, test } from 'vitest';
import { createFeedStarts, type FeedStarts } from './feed-starts.ts';

interface Opened {
  readonly clock: ReturnType<typeof createFakeClock>;
  readonly starts: FeedStarts;
  readonly storeIds: string[];
  /** The requests so far, each with the way to answer it. */
  readonly requests: ({ readonly storeId: string } & PromiseWithResolvers<StorePoint>)[];
  readonly known: [storeId: string, position: number][];
  readonly logged: unknown[];
}

function open(...storeIds: string[]): Opened {
  const clock = createFakeClock();
  const requests: Opened['requests'] = [];
  const known: Opened['known'] = [];
  const logged: unknown[] = [];
  const logger = { ...silentLogger, warn: ({ storeId }: { storeId?: unknown }) => logged.push(storeId) };
  const source = {
    stores: () => storeIds,
    fedTo(storeId: string): Promise<StorePoint> {
      const request = { storeId, ...Promise.withResolvers<StorePoint>() };
      requests.push(request);
      return request.promise;
    },
  };
  const starts = createFeedStarts(source, clock, logger as Logger, (storeId, { position }) =>
    known.push([storeId, position]),
  );
  return { clock, starts, storeIds, requests, known, logged };
}

test('each store is asked once, and is known when it has answered', async () => {
  const { starts, storeIds, requests, known } = open('a', 'b');
  expect([starts.asked(), starts.asked()]).toEqual([false, false]);
  const waiting = starts.known();
  requests[0]?.resolve({ position: 3 });
  requests[1]?.resolve({ position: 0 });
  await waiting;
  expect([starts.asked(), requests.length, known]).toEqual([
    true,
    2,
    [
      ['a', 3],
      ['b', 0],
    ],
  ]);
  storeIds.push('c');
  expect([starts.asked(), requests.at(-1)?.storeId]).toEqual([false, 'c']);
});

test('a store is waited for one second, and a later answer counts', async () => {
  const { clock, starts, requests, known } = open('a');
  const waiting = starts.known();
  await clock.pass(999);
  expect(starts.asked()).toBe(false);
  await clock.pass(1);
  await waiting;
  expect([starts.asked(), known]).toEqual([true, []]);
  requests[0]?.resolve({ position: 5 });
  await nextTurn();
  expect([known, requests.length]).toEqual([[['a', 5]], 1]);
});

test('a store that fails is logged, and asked again after a second, without anybody waiting', async () => {
  const { clock, starts, requests, known, logged } = open('a');
  const waiting = starts.known();
  requests[0]?.reject(new Error('away'));
  await waiting;
  expect([starts.asked(), logged]).toEqual([true, ['a']]);
  await clock.pass(999);
  expect([starts.asked(), requests.length]).toEqual([true, 1]);
  await clock.pass(1);
  expect([starts.asked(), requests.length]).toEqual([true, 2]);
  // Asked once more, not with each call.
  expect([starts.asked(), requests.length]).toEqual([true, 2]);
  requests[1]?.resolve({ position: 7 });
  await nextTurn();
  await clock.pass(5_000);
  expect([starts.asked(), requests.length, known]).toEqual([true, 2, [['a', 7]]]);
});

test('a store that was away is asked as a new one when it is back', async () => {
  const { starts, storeIds, requests } = open('a', 'b');
  const waiting = starts.known();
  for (const { resolve } of requests) resolve({ position: 1 });
  await waiting;
  storeIds.splice(0, 1);
  expect(starts.asked()).toBe(true);
  storeIds.push('a');
  expect([starts.asked(), requests.map(({ storeId }) => storeId)]).toEqual([false, ['a', 'b', 'a']]);
});
