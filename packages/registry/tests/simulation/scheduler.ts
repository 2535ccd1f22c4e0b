import type { Clock } from '@esdb-gater/types';

interface Entry {
  readonly atMs: number;
  readonly order: number;
  run: (() => void) | undefined;
}

/** Runs events in the order of their times, as fast as possible. A heap, so that 1 000 nodes with timers stay fast. */
export class Scheduler {
  readonly #heap: Entry[] = [];
  #nowMs = 0;
  #order = 0;

  get nowMs(): number {
    return this.#nowMs;
  }

  at(atMs: number, run: () => void): Entry {
    const entry: Entry = { atMs: Math.max(atMs, this.#nowMs), order: this.#order++, run };
    this.#push(entry);
    return entry;
  }

  /** Runs everything up to a time. */
  runUntil(endMs: number): void {
    for (let next = this.#heap[0]; next !== undefined && next.atMs <= endMs; next = this.#heap[0]) {
      this.#pop();
      this.#nowMs = next.atMs;
      next.run?.();
    }
    this.#nowMs = endMs;
  }

  /** A clock whose wall time is off by `offsetMs`. Its timers wait while `isPaused` is true, as in a stopped process. */
  clock(epochMs: number, offsetMs: number, pausedUntilMs: () => number): Clock {
    const set = (run: () => void, delayMs: number): { cancel(): void } => {
      let cancelled = false;
      const due = (): void => {
        if (cancelled) return;
        const untilMs = pausedUntilMs();
        if (untilMs > this.#nowMs) {
          if (Number.isFinite(untilMs)) this.at(untilMs, due);
        } else run();
      };
      const entry = this.at(this.#nowMs + Math.max(0, delayMs), due);
      return {
        cancel: () => {
          cancelled = true;
          entry.run = undefined;
        },
      };
    };
    return {
      now: () => epochMs + offsetMs + this.#nowMs,
      monotonic: () => this.#nowMs,
      setTimer: set,
    };
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!precedes(entry, heap[parent])) break;
      heap[at] = heap[parent] as Entry;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right !== undefined && precedes(right, heap[child])) child++;
      if (precedes(last, heap[child])) break;
      heap[at] = heap[child] as Entry;
      at = child;
    }
    heap[at] = last;
  }
}

function precedes(a: Entry, b: Entry | undefined): boolean {
  if (b === undefined) return true;
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
