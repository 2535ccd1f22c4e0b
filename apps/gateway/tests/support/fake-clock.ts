import type { Clock } from '@esdb-gater/types';

/** A clock that stands until it is advanced. */
export interface FakeClock extends Clock {
  /** Moves both clocks on, and runs what is due on the way, in order. */
  advance(ms: number): void;
  /** How many timers wait. */
  readonly timers: number;
}

export function createFakeClock(epochMs: number = Date.UTC(2026, 0, 1)): FakeClock {
  let elapsed = 0;
  const waiting = new Set<{ readonly at: number; readonly run: () => void }>();
  return {
    now: () => epochMs + elapsed,
    monotonic: () => elapsed,
    setTimer(run, delayMs) {
      const timer = { at: elapsed + Math.max(0, delayMs), run };
      waiting.add(timer);
      return { cancel: () => void waiting.delete(timer) };
    },
    advance(ms) {
      const end = elapsed + ms;
      for (;;) {
        const [next] = [...waiting].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
        if (next === undefined) break;
        waiting.delete(next);
        elapsed = Math.max(elapsed, next.at);
        next.run();
      }
      elapsed = end;
    },
    get timers() {
      return waiting.size;
    },
  };
}
