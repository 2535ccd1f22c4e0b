import type { Clock } from '@esdb-gater/types';
import { nextTurn } from '../waiting/next-turn.ts';

/** A clock that stands still until a test advances it. */
export interface FakeClock extends Clock {
  /** Advances both clocks by `ms`, and runs the timers that become due, in order. */
  advance(ms: number): void;
  /**
   * Like `advance`, but lets promises settle before each timer and at the end, so that timers that they set run too.
   */
  pass(ms: number): Promise<void>;
  /** As {@link pass}, up to the next timer. @returns false when none waits */
  passToNextTimer(): Promise<boolean>;
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

  /** Runs the first timer that is due by `end`, at its time. Returns false when there is none. */
  function runNext(end: number): boolean {
    let next: { readonly at: number; readonly run: () => void } | undefined;
    for (const timer of waiting) {
      if (timer.at <= end && (next === undefined || timer.at < next.at)) next = timer;
    }
    if (next === undefined) return false;
    waiting.delete(next);
    elapsed = Math.max(elapsed, next.at);
    next.run();
    return true;
  }

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
      while (runNext(end));
      elapsed = end;
    },
    async pass(ms) {
      const end = elapsed + ms;
      do await nextTurn();
      while (runNext(end));
      elapsed = end;
    },
    async passToNextTimer() {
      await nextTurn();
      const ran = runNext(Number.POSITIVE_INFINITY);
      if (ran) await nextTurn();
      return ran;
    },
    setNow(now) {
      offset = now - elapsed;
    },
    get timers() {
      return waiting.size;
    },
  };
}
