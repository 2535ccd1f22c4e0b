import { fc } from '@esdb-gater/property-testing';
import { describe, expect, test } from 'vitest';
import { calculateDelay } from './delay.ts';
import { retryPolicy } from './policy.ts';

const policy = retryPolicy();
const lowest = (): number => 0;
const highest = (): number => 1 - Number.EPSILON;

describe('calculateDelay', () => {
  test('the delay after attempt n is between base * 2^n and 1.25 times that', () => {
    expect([0, 1, 5].map((n) => calculateDelay(n, policy, lowest))).toEqual([100, 200, 3200]);
    expect([0, 1, 5].map((n) => Math.round(calculateDelay(n, policy, highest)))).toEqual([125, 250, 4000]);
  });

  test('a delay whose upper end is the cap itself is not capped yet', () => {
    expect(calculateDelay(0, { baseDelayMs: 80, maxDelayMs: 100 }, lowest)).toBe(80);
  });

  test('without a base delay there is no delay, after however many attempts', () => {
    for (const attempt of [0, 1, 2_000]) expect(calculateDelay(attempt, { baseDelayMs: 0 }, highest)).toBe(0);
    expect(calculateDelay(0, { baseDelayMs: 1 }, lowest)).toBe(1);
  });

  test('once the upper end exceeds the cap the delay is between 0.75 of the cap and the cap', () => {
    // 25 600 would fit, 1.25 times it would not.
    expect(calculateDelay(8, policy, lowest)).toBe(22_500);
    expect(calculateDelay(8, policy, highest)).toBeCloseTo(30_000, 6);
    expect(calculateDelay(2_000, policy, lowest)).toBe(22_500);
  });

  test('never again: no jitter at the cap', () => {
    const delays = Array.from({ length: 200 }, () => calculateDelay(20, policy));
    expect(new Set(delays).size).toBeGreaterThan(190);
    expect(Math.max(...delays) - Math.min(...delays)).toBeGreaterThan(5_000);
  });

  test('for any policy, a delay is a number from 0 to the cap and grows with the attempt', () => {
    const times = fc.double({ min: 0, max: 2_147_483_647, noNaN: true });
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(times, times, fc.nat(3_000), random, (baseDelayMs, maxDelayMs, attempt, r) => {
        const own = retryPolicy({ baseDelayMs, maxDelayMs });
        const delayMs = calculateDelay(attempt, own, () => r);
        expect(delayMs).toBeGreaterThanOrEqual(0);
        expect(delayMs).toBeLessThanOrEqual(maxDelayMs);
        // The lower end at the cap may be below the last uncapped delay, but never below 0.6 of it (0.75 / 1.25).
        expect(calculateDelay(attempt + 1, own, () => r)).toBeGreaterThanOrEqual(delayMs * 0.6 - 1e-9);
      }),
    );
  });

  test.each([-1, 0.5, Number.NaN])('attempt %s is refused', (attempt) => {
    expect(() => calculateDelay(attempt, policy)).toThrow(
      expect.objectContaining({ code: 'invalid_argument', reason: 'attempt' }),
    );
  });
});

describe('retryPolicy', () => {
  test('the defaults are 100 ms, 30 s and 10 attempts, and the policy is frozen', () => {
    expect(policy).toEqual({ baseDelayMs: 100, maxDelayMs: 30_000, maxAttempts: 10 });
    expect(Object.isFrozen(policy)).toBe(true);
  });

  test('a policy is returned as it is, and other options with all members are not', () => {
    expect(retryPolicy(policy)).toBe(policy);
    const options = { ...policy };
    expect(retryPolicy(options)).not.toBe(options);
  });

  test.each([
    ['baseDelayMs', { baseDelayMs: -1 }],
    ['baseDelayMs', { baseDelayMs: Number.NaN }],
    ['maxDelayMs', { maxDelayMs: 2 ** 31 }],
    ['maxAttempts', { maxAttempts: 0 }],
    ['maxAttempts', { maxAttempts: 1.5 }],
  ])('a wrong %s is refused by name', (member, options) => {
    expect(() => retryPolicy(options)).toThrow(
      expect.objectContaining({ code: 'invalid_argument', reason: 'retry_policy', member }),
    );
  });
});
