import type { Clock } from '@esdb-gater/types';
import { expect, test } from 'vitest';
import { Wakener } from './wakener.ts';

/** A clock that counts its timers and never runs them. */
function stoppedClock() {
  let running = 0;
  const clock: Clock = {
    now: () => 0,
    monotonic: () => 0,
    setTimer() {
      running += 1;
      return {
        cancel() {
          running -= 1;
        },
      };
    },
  };
  return { clock, running: () => running };
}

const wakener = (clock: Clock, signal = new AbortController().signal): Wakener => new Wakener(clock, signal);

test('a wake-up that comes before the sleep is not lost', async () => {
  const { clock } = stoppedClock();
  const one = wakener(clock);
  one.reset();
  one.wake();
  await one.sleep(1_000);
});

test('a wake-up ends the sleep and its timer', async () => {
  const { clock, running } = stoppedClock();
  const one = wakener(clock);
  const slept = one.sleep(1_000);
  expect(running()).toBe(1);
  one.wake();
  await slept;
  expect(running()).toBe(0);
});

test('the pause after an error is not cut short by a wake-up, but by the end', async () => {
  const { clock, running } = stoppedClock();
  const controller = new AbortController();
  const one = wakener(clock, controller.signal);
  const paused = one.pause(1_000);
  one.wake();
  expect(running()).toBe(1);
  controller.abort();
  await paused;
  expect(running()).toBe(0);
  await one.sleep(1_000);
  await one.pause(1_000);
});
