import { createFakeClock, type FakeClock } from '@esdb-gater/primitives/testing';
import { countReach, fc } from '@esdb-gater/property-testing';
import { describe, expect, test } from 'vitest';
import { createRateLimiter, type RatePlace } from './rate-limiter.ts';

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
    expect(wait).toBeGreaterThan(600);
    expect(wait).toBeLessThanOrEqual(1_010);
    at(400 + wait - 1);
    expect(take()).toBeDefined();
    at(400 + wait);
    expect(take()).toBeUndefined();
  });

  test('never lets more pass in any 1 000 ms, and is strict by at most 10 ms', () => {
    const reach = countReach({ refused: 500, released: 200, windows: 500 });
    const step = fc.record({
      gapMs: fc.oneof(fc.constantFrom(0, 10, 1_000, 1_010), fc.double({ min: 0, max: 400, noNaN: true })),
      /** Releases one of the last places. */
      release: fc.option(fc.nat(3), { freq: 4 }),
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.nat(5_000),
        fc.array(step, { maxLength: 120 }),
        (maxRate, startMs, steps) => {
          const { clock, limiter } = limiterAt(maxRate);
          clock.advance(startMs);
          let passed: { readonly ms: number; readonly place: RatePlace }[] = [];
          const since = (ms: number): number => passed.filter((one) => one.ms > ms).length;
          for (const { gapMs, release } of steps) {
            clock.advance(gapMs);
            const now = clock.monotonic();
            const released = release === null ? undefined : passed.at(-1 - release);
            if (released !== undefined) {
              released.place.release();
              passed = passed.filter((one) => one !== released);
              reach.count('released');
            }
            try {
              passed.push({ ms: now, place: limiter.take('p') });
              expect(since(now - 1_000)).toBeLessThanOrEqual(maxRate);
            } catch (error) {
              reach.count('refused');
              expect(error).toMatchObject({ code: 'rate_limited' });
              expect(since(now - 1_010)).toBeGreaterThanOrEqual(maxRate);
              // The next one passes when the oldest place has left the window.
              const { retryAfterMs } = error as { readonly retryAfterMs: number };
              const oldest = passed.at(-maxRate)?.ms ?? 0;
              expect(now + retryAfterMs).toBeGreaterThanOrEqual(oldest + 1_000);
              expect(now + retryAfterMs).toBeLessThanOrEqual(oldest + 1_011);
            }
          }
          reach.count('windows', Math.floor((clock.monotonic() - startMs) / 1_000));
        },
      ),
    );
    reach.check();
  });

  test('14 s of publishing at exactly the limit pass, and one more message per second does not', () => {
    const { at, take } = limiterAt(10);
    let refused = 0;
    for (let ms = 0; ms < 14_000; ms += 101) {
      at(ms);
      expect(take()).toBeUndefined();
      if (ms > 1_000 && take() !== undefined) refused++;
    }
    expect(refused).toBe(Math.ceil(14_000 / 101) - 10);
  });

  test('returns how long to wait on a clock that began long ago', () => {
    const { at, take } = limiterAt(1);
    at(123_456);
    take();
    expect(take()).toBe(1_004);
    at(123_956);
    expect(take()).toBe(504);
  });

  test('tells to wait for the oldest place that was not released', () => {
    const { limiter, at, take } = limiterAt(2);
    const first = limiter.take('p');
    at(300);
    take();
    at(600);
    first.release();
    take();
    expect(take()).toBe(300 + 1_010 - 600);
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

  test('a place that is released after the window has moved does not free a newer one', () => {
    const { limiter, at, take } = limiterAt(2);
    const old = limiter.take('p');
    at(2_000);
    expect([take(), take()]).toEqual([undefined, undefined]);
    old.release();
    expect(take()).toBeGreaterThan(0);
  });

  test('releases a place in its own slot, not in the newest', () => {
    const { limiter, at, take } = limiterAt(2);
    const first = limiter.take('p');
    at(500);
    take();
    first.release();
    take();
    // Both places that count are of 500 ms.
    at(1_020);
    expect(take()).toBe(490);
  });

  test('keeps the windows of publishers that published within the last second', () => {
    const { limiter, at, take } = limiterAt(10);
    take('silent');
    at(600);
    take('recent');
    at(1_500);
    take('new');
    expect(limiter.publishers).toBe(2);
    expect([take('recent'), limiter.publishers]).toEqual([undefined, 2]);
  });

  test('removes windows about once a second, as that looks at all of them', () => {
    const { limiter, at, take } = limiterAt(10);
    take('a');
    at(1_011);
    take('b');
    expect(limiter.publishers).toBe(1);
    at(2_010);
    take('c');
    expect(limiter.publishers).toBe(2);
    at(2_022);
    take('c');
    expect(limiter.publishers).toBe(1);
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
