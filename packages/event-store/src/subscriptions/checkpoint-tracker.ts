import { Fifo } from '@esdb-gater/primitives';
import type { StorePoint } from '@esdb-gater/types';

/** The place of an event that a consumer has to settle. */
export interface OpenEntry {
  settled: boolean;
}

interface Tracked extends OpenEntry {
  readonly before: StorePoint;
}

/**
 * Knows the highest position up to which every event is settled or not wanted. Events are added in the order of their
 * positions, and settled in any order.
 */
export class CheckpointTracker {
  readonly #open = new Fifo<Tracked>();
  #lastRead: StorePoint;

  constructor(start: StorePoint) {
    this.#lastRead = start;
  }

  /** Events that are tracked: the oldest unsettled one, and all wanted ones after it. */
  get size(): number {
    return this.#open.length;
  }

  /** Everything up to here was read. */
  get lastRead(): StorePoint {
    return this.#lastRead;
  }

  /** Everything up to here is settled or not wanted. */
  get checkpoint(): StorePoint {
    return this.#open.first?.before ?? this.#lastRead;
  }

  /** Passes an event that is not wanted. */
  pass(point: StorePoint): void {
    this.#lastRead = point;
  }

  /** Adds a wanted event; settle it by the result. */
  open(point: StorePoint): OpenEntry {
    const entry: Tracked = { settled: false, before: this.#lastRead };
    this.#open.push(entry);
    this.#lastRead = point;
    return entry;
  }

  settle(entry: OpenEntry): void {
    entry.settled = true;
    while (this.#open.first?.settled === true) this.#open.shift();
  }

  /** Forgets everything after a point. */
  restart(point: StorePoint): void {
    this.#open.clear();
    this.#lastRead = point;
  }
}
