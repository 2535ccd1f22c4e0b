import type { Clock } from '@esdb-gater/types';

/** A clock that stands still until a test advances it. */
export interface FakeClock extends Clock {
  /** Moves both clocks on by `ms`, and runs the timers that fall due on the way, in order. */
  advance(ms: number): void;
  /** Sets the wall clock, as an operator or NTP would: the monotonic clock and the timers do not notice. */
  setNow(epochMs: number): void;
  /** How many timers wait. */
  readonly timers: number;
}

/** Creates a clock that begins at `epochMs` (Unix milliseconds) and whose monotonic time begins at 0. */
export function createFakeClock(epochMs: number = Date.UTC(2026, 0, 1)): FakeClock {
  let elapsed = 0;
  let offset = epochMs;
  const waiting = new Set<{ readonly at: number; readonly run: () => void }>();
  return {
    now: () => offset + elapsed,
    monotonic: () => elapsed,
    setTimer(run, delayMs) {
      const timer = { at: elapsed + Math.max(0, delayMs), run };
      waiting.add(timer);
      return { cancel: () => void waiting.delete(timer) };
    },
    advance(ms) {
      const end = elapsed + ms;
      for (;;) {
        let next: { readonly at: number; readonly run: () => void } | undefined;
        for (const timer of waiting) {
          if (timer.at <= end && (next === undefined || timer.at < next.at)) next = timer;
        }
        if (next === undefined) break;
        waiting.delete(next);
        elapsed = Math.max(elapsed, next.at);
        next.run();
      }
      elapsed = end;
    },
    setNow(now) {
      offset = now - elapsed;
    },
    get timers() {
      return waiting.size;
    },
  };
}
