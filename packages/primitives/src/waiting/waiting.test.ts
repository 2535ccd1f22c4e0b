import { GaterError } from '@esdb-gater/types';
import { afterEach, expect, test } from 'vitest';
import { CountingController, createFakeClock } from '../testing/index.ts';
import { type Limits, MAX_TIMER_MS, watchLimits } from './limits.ts';
import { nextTurn } from './next-turn.ts';
import { onAbort } from './on-abort.ts';
import { retryUntilAborted } from './retry-until-aborted.ts';
import { sleep } from './sleep.ts';
import { finishesWithin, waitFor } from './wait-for.ts';
import { waitUntil } from './wait-until.ts';
import { withLimit } from './with-limit.ts';

const clock = createFakeClock();
const never = (): Promise<never> => new Promise(() => {});
const reason = new Error('enough');

const unreachable = (): never => expect.unreachable('this was not to be called');

afterEach(() => {
  expect(clock.timers, 'timers left behind').toBe(0);
});

test('onAbort passes the reason once, also of a signal that has already aborted', () => {
  const seen: unknown[] = [];
  const controller = new AbortController();
  onAbort(controller.signal, (why) => seen.push(why));
  onAbort(controller.signal, (why) => seen.push(why))();
  controller.abort(reason);
  onAbort(controller.signal, (why) => seen.push(why));
  onAbort(undefined, (why) => seen.push(why))();
  expect(seen).toEqual([reason, reason]);
});

test('watchLimits reports only the first limit that is reached', () => {
  const seen: unknown[] = [];
  const watch = (limits: Limits) => watchLimits({ clock, ...limits }, (error) => seen.push(error));
  const early = new CountingController();
  watch({ signal: early.signal, timeoutMs: 10 });
  early.abort(reason);
  const late = new CountingController();
  watch({ signal: late.signal, timeoutMs: 10 });
  clock.advance(10);
  late.abort(reason);
  expect(seen).toEqual([reason, expect.objectContaining({ code: 'timeout', timeoutMs: 10 })]);
  expect(late.listeners).toBe(0);
});

test('watchLimits stops both the timer and the listener', () => {
  const controller = new CountingController();
  const stop = watchLimits({ clock, signal: controller.signal, timeoutMs: 10 }, unreachable);
  expect([clock.timers, controller.listeners]).toEqual([1, 1]);
  stop();
  expect([clock.timers, controller.listeners]).toEqual([0, 0]);
  controller.abort();
});

test('a time limit beyond the maximum delay of timers means no limit', () => {
  watchLimits({ clock, timeoutMs: MAX_TIMER_MS + 1 }, unreachable);
  watchLimits({ clock, timeoutMs: Number.POSITIVE_INFINITY }, unreachable);
  expect(clock.timers).toBe(0);
});

test('waitFor resolves to the value of the promise, and leaves no listener on the signal', async () => {
  const counting = new CountingController();
  expect(await waitFor(Promise.resolve(1), { signal: counting.signal, timeoutMs: 10, clock })).toBe(1);
  const refused = waitFor(Promise.reject(reason), { signal: counting.signal, timeoutMs: 10, clock });
  await expect(refused).rejects.toBe(reason);
  expect(counting.listeners).toBe(0);
});

test('waitFor rejects with the reason of the signal, or an error derived from it', async () => {
  const aborted = AbortSignal.abort(reason);
  await expect(waitFor(never(), { signal: aborted, timeoutMs: 10, clock })).rejects.toBe(reason);
  const abortError = (cause: unknown) => new GaterError('timeout', 'ended', { cause });
  await expect(waitFor(never(), { signal: aborted, abortError })).rejects.toMatchObject({ cause: reason });
});

test('waitFor rejects at the time limit, and a later rejection of the promise is not unhandled', async () => {
  const { promise, reject } = Promise.withResolvers<never>();
  const waiting = waitFor(promise, { timeoutMs: 10, clock });
  clock.advance(10);
  await expect(waiting).rejects.toMatchObject({ code: 'timeout' });
  reject(reason);
  const own = waitFor(never(), { timeoutMs: 10, clock, timeoutError: (ms) => new Error(`after ${ms}`) });
  clock.advance(10);
  await expect(own).rejects.toThrow('after 10');
  await nextTurn();
});

test('finishesWithin resolves to whether the promise was fulfilled in time', async () => {
  expect(await finishesWithin(Promise.resolve(), 10, clock)).toBe(true);
  await expect(finishesWithin(Promise.reject(reason), 10, clock)).rejects.toBe(reason);
  expect(clock.timers).toBe(0);
  const { promise, reject } = Promise.withResolvers<never>();
  const waiting = finishesWithin(promise, 10, clock);
  clock.advance(10);
  expect(await waiting).toBe(false);
  reject(reason);
  await nextTurn();
});

test('sleep resolves after its time, or rejects at once with the reason of the signal', async () => {
  const controller = new CountingController();
  const first = sleep(10, clock, controller.signal);
  clock.advance(10);
  await first;
  expect(controller.listeners).toBe(0);
  const second = sleep(10, clock, controller.signal);
  controller.abort(reason);
  await expect(second).rejects.toBe(reason);
  await expect(sleep(10, clock, controller.signal)).rejects.toBe(reason);
});

/** A number with change listeners. */
function observable() {
  const listeners = new Set<() => void>();
  return {
    value: 0,
    listeners,
    onChange: (listener: () => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    set(value: number): void {
      this.value = value;
      for (const listener of listeners) listener();
    },
  };
}

test('waitUntil asks at the call and after each change', async () => {
  const number = observable();
  const controller = new CountingController();
  const limits = { signal: controller.signal, timeoutMs: 10, clock };
  const reached = waitUntil(() => number.value >= 2, number.onChange, limits);
  number.set(1);
  expect(number.listeners.size).toBe(1);
  number.set(2);
  expect(await reached).toBe(true);
  expect(await waitUntil(() => number.value >= 2, number.onChange, limits)).toBe(true);
  expect([number.listeners.size, controller.listeners]).toEqual([0, 0]);
});

test('waitUntil returns false at the time limit, and rejects at an abort', async () => {
  const number = observable();
  const controller = new CountingController();
  const limits = { signal: controller.signal, timeoutMs: 10, clock };
  const late = waitUntil(() => false, number.onChange, limits);
  clock.advance(10);
  expect(await late).toBe(false);
  const aborted = waitUntil(() => false, number.onChange, limits);
  controller.abort(reason);
  await expect(aborted).rejects.toBe(reason);
  await expect(waitUntil(() => false, number.onChange, limits)).rejects.toBe(reason);
  expect(await waitUntil(() => true, number.onChange, limits)).toBe(true);
  expect([number.listeners.size, controller.listeners]).toEqual([0, 0]);
});

test('waitUntil rejects with the error of its condition', async () => {
  const number = observable();
  const holds = (): boolean => {
    if (number.value > 0) throw reason;
    return false;
  };
  const broken = waitUntil(holds, number.onChange, { timeoutMs: 10, clock });
  number.set(1);
  await expect(broken).rejects.toBe(reason);
  await expect(waitUntil(holds, number.onChange)).rejects.toBe(reason);
  expect(number.listeners.size).toBe(0);
});

test('withLimit aborts the signal of the function with the reason that the caller gets', async () => {
  let inner: AbortSignal | undefined;
  const hang = (signal: AbortSignal): Promise<never> => {
    inner = signal;
    return never();
  };
  const late = withLimit(hang, { limitMs: 10, clock });
  clock.advance(10);
  const error = await late.catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'timeout', timeoutMs: 10 });
  expect(inner?.reason).toBe(error);
  const controller = new CountingController();
  const ended = withLimit(hang, { limitMs: 10, clock, signal: controller.signal });
  controller.abort(reason);
  await expect(ended).rejects.toBe(reason);
  expect(inner?.reason).toBe(reason);
  await expect(withLimit(unreachable, { limitMs: 10, clock, signal: controller.signal })).rejects.toBe(
    reason,
  );
});

test('withLimit also passes on a synchronous result or error', async () => {
  const controller = new CountingController();
  const options = { limitMs: 10, clock, signal: controller.signal };
  expect(await withLimit(() => 1, options)).toBe(1);
  const fails = (): never => {
    throw reason;
  };
  await expect(withLimit(fails, options)).rejects.toBe(reason);
  expect(controller.listeners).toBe(0);
});

test('a wait keeps the process alive unless it is said otherwise', async () => {
  const timers: unknown[] = [];
  const noted = {
    ...clock,
    setTimer: (...args: Parameters<typeof clock.setTimer>) => {
      timers.push(args[2]?.unref ?? false);
      return clock.setTimer(...args);
    },
  };
  const done = Promise.resolve();
  for (const options of [{}, { unref: true }]) {
    await waitFor(done, { timeoutMs: 10, clock: noted, ...options });
    await finishesWithin(done, 10, noted, options);
    const sleeping = sleep(10, noted, undefined, options);
    clock.advance(10);
    await sleeping;
  }
  expect(timers).toEqual([false, false, false, true, true, true]);
  const ended = new AbortController();
  const retrying = retryUntilAborted(() => Promise.reject(reason), {
    clock: noted,
    signal: ended.signal,
    backoff: () => 10,
  });
  await nextTurn();
  expect(timers.at(-1)).toBe(true);
  ended.abort();
  await retrying;
});

test('a time limit of the longest delay is kept', () => {
  const stop = watchLimits({ clock, timeoutMs: MAX_TIMER_MS }, unreachable);
  expect(clock.timers).toBe(1);
  stop();
});

test('without a time limit the signal is heeded, with its reason or the error made of it', async () => {
  for (const timeoutMs of [undefined, Number.POSITIVE_INFINITY]) {
    const controller = new CountingController();
    const seen: unknown[] = [];
    const limits = { signal: controller.signal, timeoutMs, clock };
    watchLimits(limits, (error) => seen.push(error));
    watchLimits({ ...limits, abortError: (why) => [why] }, (error) => seen.push(error));
    const stop = watchLimits(limits, unreachable);
    expect(controller.listeners).toBe(3);
    stop();
    controller.abort(reason);
    expect(seen).toEqual([reason, [reason]]);
  }
  const late = watchLimits(
    { signal: AbortSignal.abort(reason), timeoutMs: 10, clock, abortError: () => 'made' },
    (error) => expect(error).toBe('made'),
  );
  late();
});

test('the time of a limit is told in whole milliseconds', async () => {
  const waiting = waitFor(never(), { timeoutMs: 10.4, clock });
  clock.advance(11);
  await expect(waiting).rejects.toMatchObject({ code: 'timeout', timeoutMs: 10 });
});

test('a promise without limits is returned as it is', () => {
  const promise = Promise.resolve();
  expect(waitFor(promise, {})).toBe(promise);
});

test('withLimit without a limit settles with the function, and heeds the signal', async () => {
  const controller = new CountingController();
  const limits = { limitMs: Number.POSITIVE_INFINITY, clock, signal: controller.signal };
  expect(await withLimit(() => 1, limits)).toBe(1);
  const ended = withLimit(never, limits);
  expect(clock.timers).toBe(0);
  controller.abort(reason);
  await expect(ended).rejects.toBe(reason);
  const own = withLimit(never, { limitMs: 10, clock, timeoutError: (ms) => new Error(`after ${ms}`) });
  clock.advance(10);
  await expect(own).rejects.toThrow('after 10');
});
