import { expect, test } from 'vitest';
import { createRateMeter } from './rate-meter.ts';

test('shows the rate of 14 s of steady publishing from the first full second on', () => {
  for (const startMs of [0, 730, 1_000_000]) {
    const meter = createRateMeter();
    for (let ms = 0; ms < 14_000; ms += 50) {
      meter.add(3, startMs + ms);
      if (ms >= 1_000) expect(meter.perSecond(startMs + ms)).toBeGreaterThanOrEqual(54);
      expect(meter.perSecond(startMs + ms)).toBeLessThanOrEqual(60);
    }
  }
});

test('forgets a count after a second, and everything after a pause', () => {
  const meter = createRateMeter();
  meter.add(5, 1_250);
  meter.add(2, 1_950);
  expect(meter.perSecond(2_199)).toBe(7);
  expect(meter.perSecond(2_200)).toBe(2);
  expect(meter.perSecond(2_899)).toBe(2);
  expect(meter.perSecond(2_900)).toBe(0);
  for (let n = 0; n < 10; n++) meter.add(1, 3_000 + n * 100);
  expect(meter.perSecond(3_900)).toBe(10);
  expect(meter.perSecond(4_900)).toBe(0);
  meter.add(1, 5_000);
  expect(meter.perSecond(90_000)).toBe(0);
});
