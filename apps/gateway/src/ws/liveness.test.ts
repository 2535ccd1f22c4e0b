import { createFakeClock, type FakeClock } from '@esdb-gater/primitives/testing';
import { beforeEach, expect, test } from 'vitest';
import { CONNECTION_BOUNDS } from '../http/connection-bounds.ts';
import { createLiveness, type Liveness } from './liveness.ts';

let clock: FakeClock;
let liveness: Liveness;
let pings: number;
let silentAt: number | undefined;
let bytes: { received: number; unsent: number; sent: number };
const watched = {
  ping: () => void pings++,
  silent: () => {
    silentAt = clock.monotonic();
  },
  received: () => bytes.received,
  unsent: () => bytes.unsent,
  sent: () => bytes.sent,
};

beforeEach(() => {
  clock = createFakeClock();
  liveness = createLiveness(clock, CONNECTION_BOUNDS);
  [pings, silentAt] = [0, undefined];
  bytes = { received: 0, unsent: 0, sent: 0 };
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

test('a client that sends is not silent, and one that reads what waited for it is not', () => {
  liveness.watch(watched);
  for (let i = 0; i < 10; i++) {
    clock.advance(30_000);
    bytes.received++;
  }
  bytes.unsent = 1_000;
  for (let i = 0; i < 10; i++) {
    clock.advance(30_000);
    bytes.sent++;
  }
  expect(silentAt).toBeUndefined();
});

test('what the system takes while nothing waits, such as pings, is not a sign of life [R7] [T32]', () => {
  liveness.watch({
    ...watched,
    ping() {
      bytes.sent += 2;
    },
  });
  clock.advance(61_000);
  expect(silentAt).toBe(60_000);
});

test('with nobody to watch no timer runs', () => {
  const end = liveness.watch(watched);
  clock.advance(5_000);
  end();
  clock.advance(5_000);
  expect(clock.timers).toBe(0);
});
