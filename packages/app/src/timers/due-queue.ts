import type { PendingTimer } from './timer-events.ts';

interface Entry {
  readonly timer: PendingTimer;
  /** When it is tried, Unix milliseconds: its own time, or later after a failure. */
  readonly dueMs: number;
}

/** The timers that wait, in the order in which they are due. */
export class DueQueue {
  readonly #timers = new Map<string, Entry>();
  /** Sorted by `dueMs`, latest first, so that the next one is at the end. May hold entries that were removed. */
  readonly #order: Entry[] = [];

  get size(): number {
    return this.#timers.size;
  }

  has(id: string): boolean {
    return this.#timers.has(id);
  }

  /** Adds a timer, or moves the one that it has. */
  add(timer: PendingTimer, dueMs: number = timer.atMs): void {
    const entry = { timer, dueMs };
    this.#timers.set(timer.id, entry);
    let [low, high] = [0, this.#order.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#order[middle]?.dueMs ?? 0) > dueMs) low = middle + 1;
      else high = middle;
    }
    this.#order.splice(low, 0, entry);
  }

  remove(id: string): void {
    this.#timers.delete(id);
    this.#prune();
  }

  /** Returns the timer that is due next, without removing it. */
  next(): Entry | undefined {
    this.#prune();
    return this.#order.at(-1);
  }

  /** The lowest version of a timer that waits; undefined when none waits. */
  lowestVersion(): number | undefined {
    let lowest: number | undefined;
    for (const { timer } of this.#timers.values()) {
      if (lowest === undefined || timer.version < lowest) lowest = timer.version;
    }
    return lowest;
  }

  #prune(): void {
    for (;;) {
      const last = this.#order.at(-1);
      if (last === undefined || this.#timers.get(last.timer.id) === last) break;
      this.#order.pop();
    }
    // Entries that were removed elsewhere go when they are most of the list.
    if (this.#order.length < 64 || this.#order.length < this.#timers.size * 2) return;
    const kept = this.#order.filter((entry) => this.#timers.get(entry.timer.id) === entry);
    this.#order.splice(0, this.#order.length, ...kept);
  }
}
