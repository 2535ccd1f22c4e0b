import { expect, test } from 'vitest';
import { createFakeClock } from './fake-clock.ts';

test('timers run in order, each at its time, including timers that are set meanwhile', () => {
  const clock = createFakeClock(1_000);
  const ran: [name: string, atMs: number][] = [];
  const note = (name: string) => () => ran.push([name, clock.monotonic()]);
  clock.setTimer(note('late'), 30);
  clock.setTimer(() => {
    note('early')();
    clock.setTimer(note('on the way'), 10);
  }, 10);
  clock.setTimer(note('never'), 15).cancel();
  clock.advance(25);
  expect(ran).toEqual([
    ['early', 10],
    ['on the way', 20],
  ]);
  expect([clock.monotonic(), clock.now(), clock.timers]).toEqual([25, 1_025, 1]);
});

test('a jump of the wall clock leaves the monotonic clock unchanged', () => {
  const clock = createFakeClock();
  let ran = false;
  clock.setTimer(() => {
    ran = true;
  }, 100);
  clock.setNow(5_000_000);
  expect([clock.now(), clock.monotonic(), ran]).toEqual([5_000_000, 0, false]);
});

test('promises settle while time passes', async () => {
  const clock = createFakeClock();
  const at: number[] = [];
  const run = async (): Promise<void> => {
    for (let round = 0; round < 3; round++) {
      await new Promise<void>((resolve) => clock.setTimer(resolve, 10));
      at.push(clock.monotonic());
    }
  };
  const running = run();
  await clock.pass(25);
  expect([at, clock.monotonic()]).toEqual([[10, 20], 25]);
  expect(await clock.passToNextTimer()).toBe(true);
  await running;
  expect([at, clock.monotonic()]).toEqual([[10, 20, 30], 30]);
  expect(await clock.passToNextTimer()).toBe(false);
});
