import { createFakeClock, type FakeClock } from '@esdb-gater/primitives/testing';
import { beforeEach, expect, test } from 'vitest';
import { createLiveness, type Liveness } from './liveness.ts';

let clock: FakeClock;
let liveness: Liveness;
let pings: number;
let silentAt: number | undefined;
let progress: number;
const watched = {
  ping: () => void pings++,
  silent: () => {
    silentAt = clock.monotonic();
  },
  progress: () => progress,
};

beforeEach(() => {
  clock = createFakeClock();
  liveness = createLiveness(clock);
  [pings, progress, silentAt] = [0, 0, undefined];
});

test('a connection is pinged every 25 s and closed after 60 s of silence', () => {
  liveness.watch(watched);
  clock.advance(24_000);
  expect(pings).toBe(0);
  clock.advance(2_000);
  expect(pings).toBe(1);
  clock.advance(33_000);
  expect([pings, silentAt]).toEqual([2, undefined]);
  clock.advance(2_000);
  expect(silentAt).toBe(60_000);
});

test('whoever answers or takes bytes is not silent', () => {
  liveness.watch(watched);
  for (let i = 0; i < 10; i++) {
    clock.advance(30_000);
    progress++;
  }
  expect(silentAt).toBeUndefined();
});

test('with nobody to watch no timer runs', () => {
  const end = liveness.watch(watched);
  clock.advance(5_000);
  end();
  clock.advance(5_000);
  expect(clock.timers).toBe(0);
});
