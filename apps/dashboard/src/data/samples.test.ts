import { expect, test } from 'vitest';
import { addSample, newest, noSamples } from './samples.ts';

test('samples older than the time that is kept are left out of every series', () => {
  let samples = noSamples(2);
  for (let time = 0; time <= 10; time++) samples = addSample(samples, time, [time, null], 3);
  expect(samples).toEqual({
    times: [8, 9, 10],
    series: [
      [8, 9, 10],
      [null, null, null],
    ],
  });
  expect(newest(samples, 0)).toBe(10);
  expect(newest(samples, 1)).toBeUndefined();
  // As after a night in which the machine slept.
  expect(addSample(samples, 10_000, [1, 2], 3)).toEqual({ times: [10_000], series: [[1], [2]] });
});
