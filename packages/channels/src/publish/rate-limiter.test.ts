import { createFakeClock, type FakeClock } from '@esdb-gater/primitives/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRateLimiter } from './rate-limiter.ts';

function limiterAt(maxRate: number): {
  readonly clock: FakeClock;
  readonly at: (ms: number) => void;
  readonly take: (publisher?: string) => number | undefined;
  readonly limiter: ReturnType<typeof createRateLimiter>;
} {
  const clock = createFakeClock();
  const limiter = createRateLimiter('health', maxRate, clock);
  return {
    clock,
    limiter,
    at: (ms) => clock.advance(ms - clock.monotonic()),
    /** Undefined when it passed, else `retryAfterMs`. */
    take: (publisher = 'p') => {
      try {
        limiter.take(publisher);
        return undefined;
      } catch (error) {
        return (error as { retryAfterMs: number }).retryAfterMs;
      }
    },
  };
}

describe('the rate limiter', () => {
  test('allows up to the limit, and refuses the next one', () => {
    const { take } = limiterAt(3);
    expect([take(), take(), take(), take()]).toEqual([undefined, undefined, undefined, expect.any(Number)]);
  });

  test('refuses with code, channel and limit', () => {
    const { limiter, take } = limiterAt(1);
    take();
    expect(() => limiter.take('p')).toThrow(
      expect.objectContaining({ code: 'rate_limited', retriable: true, channel: 'health', maxRate: 1 }),
    );
  });

  test('Never again: twice the rate across a second boundary', () => {
    const { at, take } = limiterAt(100);
    at(999);
    for (let n = 0; n < 100; n++) expect(take()).toBeUndefined();
    for (const ms of [1_000, 1_001, 1_500, 1_998]) {
      at(ms);
      expect(take()).toBeGreaterThan(0);
    }
    at(2_010);
    expect(take()).toBeUndefined();
  });

  test('returns the time after which the next one is allowed, and then allows it', () => {
    const { at, take } = limiterAt(2);
    at(5);
    take();
    at(400);
    take();
    const wait = take() ?? 0;
    expect(wait).toBeLessThanOrEqual(1_010);
    at(400 + wait - 1);
    expect(take()).toBeDefined();
    at(400 + wait);
    expect(take()).toBeUndefined();
  });

  test('never lets more pass in any 1 000 ms, and is strict by at most 10 ms', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.double({ min: 0, max: 400, noNaN: true }), { maxLength: 80 }),
        (maxRate, gaps) => {
          const { clock, take } = limiterAt(maxRate);
          const passed: number[] = [];
          for (const gap of gaps) {
            clock.advance(gap);
            const now = clock.monotonic();
            if (take() === undefined) {
              passed.push(now);
              expect(passed.filter((ms) => ms > now - 1_000).length).toBeLessThanOrEqual(maxRate);
            } else {
              expect(passed.filter((ms) => ms > now - 1_010).length).toBeGreaterThanOrEqual(maxRate);
            }
          }
        },
      ),
    );
  });

  test('counts each publisher by itself', () => {
    const { take } = limiterAt(1);
    expect([take('a'), take('b'), take('a')]).toEqual([undefined, undefined, expect.any(Number)]);
  });

  test('takes back a place, once', () => {
    const { limiter, take } = limiterAt(1);
    const place = limiter.take('p');
    place.release();
    place.release();
    expect(take()).toBeUndefined();
    expect(take()).toBeGreaterThan(0);
  });

  test('ignores a slot that is released after its window', () => {
    const { limiter, at, take } = limiterAt(1);
    const place = limiter.take('p');
    at(2_000);
    place.release();
    expect(take()).toBeUndefined();
    expect(take()).toBeGreaterThan(0);
  });

  test('Never again: a rate-limit table that only grows', () => {
    const { limiter, at, take } = limiterAt(10);
    for (let n = 0; n < 5_000; n++) take(`p${n}`);
    expect(limiter.publishers).toBe(5_000);
    at(3_000);
    take('p');
    expect(limiter.publishers).toBe(1);
  });

  test('takes `__proto__` for a publisher like any other', () => {
    const { take } = limiterAt(1);
    expect([take('__proto__'), take('constructor'), take('__proto__')]).toEqual([
      undefined,
      undefined,
      expect.any(Number),
    ]);
  });
});
