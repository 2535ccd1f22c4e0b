import { createFakeClock } from '@esdb-gater/primitives/testing';
import { expect, test } from 'vitest';
import { createEventLoopMonitor } from './event-loop.ts';

test('an event loop that ran its timers late is behind until it is on time again', () => {
  const clock = createFakeClock();
  let late = 0;
  const monitor = createEventLoopMonitor({ ...clock, monotonic: () => clock.monotonic() + late });
  clock.advance(1_000);
  expect(monitor.isBehind()).toBe(false);
  late = 400;
  clock.advance(100);
  expect(monitor.isBehind()).toBe(true);
  clock.advance(100);
  expect(monitor.isBehind()).toBe(false);
  monitor.close();
  expect(clock.timers).toBe(0);
});

test('the delay of this event loop is measured', async () => {
  const monitor = createEventLoopMonitor({ ...createFakeClock() });
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(monitor.read().maxMs).toBeGreaterThanOrEqual(0);
  expect(monitor.read().p99Ms).toBeLessThan(10_000);
  monitor.close();
});
