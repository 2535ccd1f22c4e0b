import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Clock, Timer } from '@esdb-gater/types';

/** The delay of the event loop, in milliseconds, over the last complete window. */
interface EventLoopDelay {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export interface EventLoopMonitor {
  /** The last window's figures. */
  read(): EventLoopDelay;
  /** True when the event loop was late recently: droppable messages should be dropped, so that it catches up. */
  isBehind(): boolean;
  close(): void;
}

const WINDOW_MS = 10_000;
const RESOLUTION_MS = 10;

/** The interval of measurements for `isBehind`, and the delay that counts as behind. */
const CHECK_MS = 100;
const BEHIND_MS = 250;

/** Watches the delay of the event loop, in windows of 10 s. */
export function createEventLoopMonitor(clock: Clock): EventLoopMonitor {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  let last: EventLoopDelay | undefined;
  let timer: Timer;
  const take = (): EventLoopDelay => {
    if (histogram.count === 0) return { p50Ms: 0, p99Ms: 0, maxMs: 0 };
    // The histogram records the whole interval of its timer; the part above the interval is the delay.
    const ms = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
    return {
      p50Ms: ms(histogram.percentile(50)),
      p99Ms: ms(histogram.percentile(99)),
      maxMs: ms(histogram.max),
    };
  };
  const turn = (): void => {
    last = take();
    histogram.reset();
    timer = clock.setTimer(turn, WINDOW_MS, { unref: true });
  };
  timer = clock.setTimer(turn, WINDOW_MS, { unref: true });
  let due = clock.monotonic() + CHECK_MS;
  let behind = false;
  let checkTimer: Timer;
  const check = (): void => {
    const now = clock.monotonic();
    behind = now - due > BEHIND_MS;
    due = now + CHECK_MS;
    checkTimer = clock.setTimer(check, CHECK_MS, { unref: true });
  };
  checkTimer = clock.setTimer(check, CHECK_MS, { unref: true });
  return {
    read: () => last ?? take(),
    isBehind: () => behind,
    close() {
      timer.cancel();
      checkTimer.cancel();
      histogram.disable();
    },
  };
}
