import { createFakeClock, type FakeClock } from '@esdb-gater/primitives/testing';
import { beforeEach, expect, test } from 'vitest';
import type { VerifiedGrant } from './grants.ts';
import { createLiveGrants, type GrantEnd, type LiveGrants } from './live-grants.ts';

let clock: FakeClock;
let ends: GrantEnd[];
let grants: LiveGrants;
let revoked: Set<string>;
beforeEach(() => {
  clock = createFakeClock();
  ends = [];
  revoked = new Set();
  grants = createLiveGrants(clock, (why) => ends.push(why));
});

function grant(cid: string, lifetimeSeconds: number): VerifiedGrant {
  return {
    cid,
    audience: 'did:key:z',
    expiresAt: clock.now() / 1_000 + lifetimeSeconds,
    att: [],
    demand: () => undefined,
    allows: () => true,
    below: () => [],
    reachesChannel: () => true,
    isRevoked: () => revoked.has(cid),
  };
}

test('a token that ends closes with 4401, once and on time', () => {
  grants.replace(grant('a', 900));
  clock.advance(899_999);
  expect(ends).toEqual([]);
  clock.advance(100_000);
  expect(ends.map(({ code }) => code)).toEqual([4401]);
});

test('a revoked token closes with 4403', () => {
  grants.replace(grant('a', 900));
  grants.recheck();
  expect(ends).toEqual([]);
  revoked.add('a');
  grants.recheck();
  expect(ends.map(({ code }) => code)).toEqual([4403]);
});

test('a token that is revoked while a subscription is being created closes with 4403 once the subscription exists', () => {
  revoked.add('b');
  grants.replace(grant('a', 900));
  expect(ends).toEqual([]);
  grants.hold('events orders.*', grant('b', 900), () => true);
  expect(ends.map(({ code }) => code)).toEqual([4403]);
});

test('a later token replaces the former, also for subscriptions of the former', () => {
  grants.replace(grant('a', 60));
  grants.hold('events orders.*', grant('a', 60), () => true);
  grants.replace(grant('b', 900));
  clock.advance(100_000);
  expect(ends).toEqual([]);
});

test('subscriptions that a later token does not cover end with the token that created them', () => {
  grants.hold('events orders.*', grant('a', 60), () => false);
  grants.replace(grant('b', 900));
  clock.advance(60_000);
  expect(ends.map(({ code }) => code)).toEqual([4401]);
});

test('the token of a single call no longer counts once its subscription has ended', () => {
  grants.hold('events orders.*', grant('a', 60), () => true);
  grants.release('events orders.*');
  clock.advance(100_000);
  revoked.add('a');
  grants.recheck();
  expect(ends).toEqual([]);
});

test('a clock that jumps ahead is noticed within a minute', () => {
  grants.replace(grant('a', 3_600));
  clock.setNow(clock.now() + 7_200_000);
  clock.advance(60_000);
  expect(ends).toHaveLength(1);
});

test('a token that ended when the clock jumped makes no more calls [R8]', () => {
  const token = grant('a', 3_600);
  grants.replace(token);
  expect(grants.current()).toBe(token);
  clock.setNow(clock.now() + 3_600_000);
  expect(() => grants.current()).toThrow(
    expect.objectContaining({ code: 'unauthorized', details: { reason: 'expired' } }),
  );
  expect(ends.map(({ code }) => code)).toEqual([4401]);
  expect(() => grants.current()).toThrow(expect.objectContaining({ code: 'unauthorized' }));
});

test('the cost of holding and revoking depends on the number of tokens, not of subscriptions [R8]', () => {
  let checks = 0;
  let timers = 0;
  const counted = (cid: string): VerifiedGrant => ({
    ...grant(cid, 900),
    isRevoked: () => {
      checks += 1;
      return false;
    },
  });
  const counting = {
    ...clock,
    setTimer: (...args: Parameters<typeof clock.setTimer>) => {
      timers += 1;
      return clock.setTimer(...args);
    },
  };
  const many = createLiveGrants(counting, (why) => ends.push(why));
  const [own, borrowed] = [counted('own'), counted('borrowed')];
  many.replace(own);
  for (let i = 0; i < 19_000; i++) many.hold(`events t${i}`, i % 2 === 0 ? own : borrowed, () => true);
  expect([checks, timers]).toEqual([3, 1]);
  checks = 0;
  many.recheck();
  expect(checks).toBeLessThanOrEqual(3);
  for (let i = 0; i < 19_000; i++) many.release(`events t${i}`);
  checks = 0;
  many.recheck();
  expect(checks).toBe(1);
  expect(timers).toBe(1);
});

test('many tokens of single calls are held in linear time [R8]', () => {
  let reads = 0;
  for (let i = 0; i < 5_000; i++) {
    const one = grant(`t${i}`, 900 + i);
    grants.hold(
      `k${i}`,
      {
        ...one,
        get expiresAt() {
          reads += 1;
          return one.expiresAt;
        },
      },
      () => true,
    );
  }
  expect(reads).toBeLessThan(4 * 5_000);
});
