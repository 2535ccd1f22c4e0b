import { createFakeClock } from '@esdb-gater/primitives/testing';
import { expect, test } from 'vitest';
import { WakeSignal } from './wake-signal.ts';

const clock = createFakeClock();

test('a wake-up that comes before the sleep is not lost', async () => {
  const wakeSignal = new WakeSignal(clock, new AbortController().signal);
  wakeSignal.reset();
  wakeSignal.wake();
  await wakeSignal.sleep(1_000);
});

test('a wake-up ends the sleep and its timer', async () => {
  const wakeSignal = new WakeSignal(clock, new AbortController().signal);
  const slept = wakeSignal.sleep(1_000);
  expect(clock.timers).toBe(1);
  wakeSignal.wake();
  await slept;
  expect(clock.timers).toBe(0);
});

test('a sleep ends with its time', async () => {
  const wakeSignal = new WakeSignal(clock, new AbortController().signal);
  const slept = wakeSignal.sleep(1_000);
  clock.advance(1_000);
  await slept;
});

test('the end ends the sleep, its timer, and all that come later', async () => {
  const controller = new AbortController();
  const wakeSignal = new WakeSignal(clock, controller.signal);
  const slept = wakeSignal.sleep(1_000);
  expect(clock.timers).toBe(1);
  controller.abort();
  await slept;
  expect(clock.timers).toBe(0);
  await wakeSignal.sleep(1_000);
});
