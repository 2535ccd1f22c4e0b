import { createFakeClock } from '@esdb-gater/primitives/testing';
import { GaterError } from '@esdb-gater/types';
import { expect, test, vi } from 'vitest';
import { throwIfEnded, watchContext } from './call-context.ts';

test('a call without signal and deadline is not watched', () => {
  const clock = createFakeClock();
  expect(watchContext({}, clock, () => {})).toBeUndefined();
  expect(watchContext(undefined, clock, () => {})).toBeUndefined();
  expect(clock.timers).toBe(0);
});

test('an abort ends a call once, and cancels its timer', () => {
  const clock = createFakeClock();
  const controller = new AbortController();
  const onEnd = vi.fn();
  watchContext({ signal: controller.signal, deadlineMs: 10 }, clock, onEnd);
  controller.abort();
  expect(onEnd).toHaveBeenCalledTimes(1);
  expect(onEnd.mock.calls[0]?.[0]).toMatchObject({ code: 'timeout' });
  expect(clock.timers).toBe(0);
});

test('a deadline ends a call with timeout', () => {
  const clock = createFakeClock();
  const onEnd = vi.fn();
  watchContext({ deadlineMs: 10 }, clock, onEnd);
  clock.advance(10);
  expect(onEnd.mock.calls[0]?.[0]).toMatchObject({ code: 'timeout' });
});

test('an answered call no longer listens to its signal', () => {
  const clock = createFakeClock();
  const controller = new AbortController();
  const onEnd = vi.fn();
  watchContext({ signal: controller.signal }, clock, onEnd)?.();
  controller.abort();
  expect(onEnd).not.toHaveBeenCalled();
});

test('a GaterError as reason is what the caller gets', () => {
  const signal = AbortSignal.abort(new GaterError('unavailable', 'stopping'));
  expect(() => throwIfEnded({ signal })).toThrow('stopping');
});
