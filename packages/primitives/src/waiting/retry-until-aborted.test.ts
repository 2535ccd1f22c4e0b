import { expect, test } from 'vitest';
import { createFakeClock } from '../testing/index.ts';
import { nextTurn } from './next-turn.ts';
import { retryUntilAborted } from './retry-until-aborted.ts';

const unreachable = (): never => expect.unreachable('this was not to be called');

/** An attempt that fails until it is let through, retried after 100, 200, 300 … ms. */
function retrying(succeedAt = Number.POSITIVE_INFINITY) {
  const clock = createFakeClock();
  const controller = new AbortController();
  const told: unknown[] = [];
  const startedAt: number[] = [];
  const result = retryUntilAborted(
    async () => {
      startedAt.push(clock.monotonic());
      if (startedAt.length < succeedAt) throw new Error(`failure ${startedAt.length}`);
      return 'done';
    },
    {
      clock,
      signal: controller.signal,
      backoff: (failures) => 100 * (failures + 1),
      onFailure: (error, failures) => told.push([(error as Error).message, failures]),
    },
  );
  return { clock, controller, told, startedAt, result };
}

test('attempts are repeated after each delay, until one succeeds', async () => {
  const { clock, told, startedAt, result } = retrying(3);
  for (let step = 0; step < 4; step++) {
    await nextTurn();
    clock.advance(100);
  }
  expect(await result).toBe('done');
  expect(startedAt).toEqual([0, 100, 300]);
  expect(told).toEqual([
    ['failure 1', 0],
    ['failure 2', 1],
  ]);
  expect(clock.timers).toBe(0);
});

test('an abort ends the delay at once, and leaves no timer', async () => {
  const { clock, controller, startedAt, result } = retrying();
  await nextTurn();
  expect(clock.timers).toBe(1);
  controller.abort();
  expect(await result).toBeUndefined();
  expect([clock.timers, startedAt.length]).toEqual([0, 1]);
});

test('a failure after the abort is ignored', async () => {
  const clock = createFakeClock();
  const controller = new AbortController();
  const { promise, reject } = Promise.withResolvers<never>();
  const options = { clock, signal: controller.signal, backoff: () => 1, onFailure: unreachable };
  const result = retryUntilAborted(() => promise, options);
  controller.abort();
  reject(new Error('closed'));
  expect(await result).toBeUndefined();
  expect(await retryUntilAborted(unreachable, options)).toBeUndefined();
});

test('an error thrown by onFailure ends the retries', async () => {
  const clock = createFakeClock();
  const { signal } = new AbortController();
  const refused = new Error('refused for good');
  const onFailure = (): never => {
    throw refused;
  };
  const attempt = (): never => {
    throw new Error('no');
  };
  const result = retryUntilAborted(attempt, { clock, signal, backoff: () => 1, onFailure });
  await expect(result).rejects.toBe(refused);
  expect(clock.timers).toBe(0);
});
