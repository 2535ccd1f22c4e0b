import { describe, expect, test } from 'vitest';
import { ClockOffset } from './clock-offset.ts';

describe('the estimate of a clock', () => {
  test('is that of the shortest round trip', () => {
    const offset = new ClockOffset();
    expect(offset.ms).toBeUndefined();
    offset.add(1_000, 1_600, 1_000);
    offset.add(2_000, 2_505, 10);
    offset.add(3_000, 3_900, 1_000);
    expect(offset.ms).toBe(500);
  });

  test('is wrong only when the round trip cannot explain the difference', () => {
    const offset = new ClockOffset();
    offset.add(0, 2_900, 2_000);
    expect([offset.ms, offset.isWrong(1_000)]).toEqual([1_900, false]);
    offset.add(0, -1_200, 100);
    expect([offset.ms, offset.isWrong(1_000)]).toEqual([-1_250, true]);
  });

  test('follows a clock that was set', () => {
    const offset = new ClockOffset();
    offset.add(0, 60_000, 2);
    for (let sample = 0; sample < 8; sample++) offset.add(0, 1, 2);
    expect([offset.ms, offset.isWrong(1_000)]).toEqual([0, false]);
  });
});
