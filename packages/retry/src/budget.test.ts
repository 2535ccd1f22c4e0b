import { createFakeClock } from '@esdb-gater/primitives/testing';
import { countReach, fc } from '@esdb-gater/property-testing';
import { describe, expect, test } from 'vitest';
import { createRetryBudget, type RetryBudget } from './budget.ts';

function calls(budget: RetryBudget, count: number): void {
  for (let i = 0; i < count; i++) budget.recordCall();
}

function granted(budget: RetryBudget, wanted = 1_000): number {
  let count = 0;
  while (count < wanted && budget.tryRetry()) count++;
  return count;
}

describe('a retry budget', () => {
  test('grants ten retries however few calls there were', () => {
    const budget = createRetryBudget({ clock: createFakeClock() });
    budget.recordCall();
    expect(granted(budget)).toBe(10);
  });

  test('grants a tenth of the calls when that is more', () => {
    const budget = createRetryBudget({ clock: createFakeClock() });
    calls(budget, 1_000);
    expect(granted(budget)).toBe(100);
  });

  test('forgets calls after ten seconds', () => {
    const clock = createFakeClock();
    const budget = createRetryBudget({ clock });
    calls(budget, 1_000);
    clock.advance(10_000);
    expect(granted(budget)).toBe(10);
  });

  test('remembers retries for ten seconds, and then grants them again', () => {
    const clock = createFakeClock();
    const budget = createRetryBudget({ clock });
    expect(granted(budget)).toBe(10);
    clock.advance(9_999);
    expect(granted(budget)).toBe(0);
    clock.advance(1_001);
    expect(granted(budget)).toBe(10);
  });

  test('a retry counts until its tenth of the window is certainly older than the window', () => {
    const clock = createFakeClock();
    const budget = createRetryBudget({ clock });
    expect(granted(budget)).toBe(10);
    clock.advance(10_999);
    expect(granted(budget)).toBe(0);
    clock.advance(1);
    expect(granted(budget)).toBe(10);
  });

  test('counts calls alike in every part of its window, whenever it begins', () => {
    for (let begin = 0; begin < 25; begin++) {
      const clock = createFakeClock();
      clock.advance(begin * 1_000);
      const budget = createRetryBudget({ clock });
      clock.advance(begin * 1_000);
      calls(budget, 1_000);
      clock.advance(9_000);
      expect(granted(budget)).toBe(100);
      clock.advance(11_000);
      expect(granted(budget)).toBe(10);
    }
  });

  test('a pause of a day clears all counts, whatever came before', () => {
    const clock = createFakeClock();
    const budget = createRetryBudget({ clock });
    for (let second = 0; second < 12; second++) {
      calls(budget, 1_000);
      granted(budget, 50);
      clock.advance(1_000);
    }
    clock.advance(86_400_000);
    expect(granted(budget)).toBe(10);
  });

  test('its share, its minimum and its window can be chosen, down to nothing', () => {
    const clock = createFakeClock();
    const budget = createRetryBudget({ clock, ratio: 0.5, min: 0, windowMs: 0.5 });
    expect(granted(budget)).toBe(0);
    calls(budget, 10);
    expect(granted(budget)).toBe(5);
    clock.advance(1);
    expect(granted(budget)).toBe(0);
    expect(granted(createRetryBudget({ clock, ratio: 0, min: 3 }))).toBe(3);
  });

  test('no ten seconds see more retries than ten, or a tenth of the calls of the ten seconds before', () => {
    const reach = countReach({ refused: 300, windows: 80 });
    const step = fc.record({ waitMs: fc.nat(4_000), calls: fc.nat(300), wanted: fc.nat(60) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const clock = createFakeClock();
        const budget = createRetryBudget({ clock });
        const called: { at: number; count: number }[] = [];
        const retried: { at: number; count: number }[] = [];
        const within = (list: typeof called): number =>
          list.filter(({ at }) => at > clock.monotonic() - 10_000).reduce((sum, { count }) => sum + count, 0);
        for (const { waitMs, calls: count, wanted } of steps) {
          clock.advance(waitMs);
          calls(budget, count);
          called.push({ at: clock.monotonic(), count });
          const got = granted(budget, wanted);
          retried.push({ at: clock.monotonic(), count: got });
          if (got < wanted) reach.count('refused');
          if (got > 0) expect(within(retried)).toBeLessThanOrEqual(Math.max(10, within(called) / 10));
        }
        reach.count('windows', Math.floor(clock.monotonic() / 10_000));
      }),
    );
    reach.check();
  });

  test.each([
    ['ratio', -1],
    ['min', Number.NaN],
    ['windowMs', 0],
  ])('refuses a wrong %s by its name', (member, value) => {
    expect(() => createRetryBudget({ [member]: value })).toThrow(
      expect.objectContaining({ reason: 'retry_budget', member }),
    );
  });
});
