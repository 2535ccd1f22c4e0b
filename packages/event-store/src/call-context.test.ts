import { type Clock, GaterError } from '@esdb-gater/types';
import { expect, test, vi } from 'vitest';
import { throwIfEnded, watchContext } from './call-context.ts';

/** A clock whose only timer is run by the test. */
function handClock() {
  const timers: (() => void)[] = [];
  const cancelled = vi.fn();
  const clock: Clock = {
    now: () => 0,
    monotonic: () => 0,
    setTimer: (run) => {
      timers.push(run);
      return { cancel: cancelled };
    },
  };
  return { clock, timers, cancelled };
}

test('a call without signal and deadline is not watched', () => {
  const { clock, timers } = handClock();
  expect(watchContext({}, clock, () => {})).toBeUndefined();
  expect(watchContext(undefined, clock, () => {})).toBeUndefined();
  expect(timers).toHaveLength(0);
});

test('an abort ends a call once, and cancels its timer', () => {
  const { clock, cancelled } = handClock();
  const controller = new AbortController();
  const onEnd = vi.fn();
  watchContext({ signal: controller.signal, deadlineMs: 10 }, clock, onEnd);
  controller.abort();
  expect(onEnd).toHaveBeenCalledTimes(1);
  expect(onEnd.mock.calls[0]?.[0]).toMatchObject({ code: 'timeout' });
  expect(cancelled).toHaveBeenCalledTimes(1);
});

test('a deadline ends a call with timeout', () => {
  const { clock, timers } = handClock();
  const onEnd = vi.fn();
  watchContext({ deadlineMs: 10 }, clock, onEnd);
  timers[0]?.();
  expect(onEnd.mock.calls[0]?.[0]).toMatchObject({ code: 'timeout' });
});

test('a call that was answered hears no more of its signal', () => {
  const { clock } = handClock();
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
