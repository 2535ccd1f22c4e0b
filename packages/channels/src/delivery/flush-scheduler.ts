import type { Clock, Timer } from '@esdb-gater/types';
import { type BatchRoot, createBatchRoot } from './delivery-batch.ts';

/** The priorities that are gathered; `critical` never is. */
export type GatheredPriority = 'high' | 'normal' | 'low';

/** A queue that has gathered something. */
export interface Flushable {
  flush(priority: GatheredPriority): void;
}

/**
 * When what was gathered is written: `high` at the end of the callback that brought it, `normal` at the end of
 * the turn of the event loop, `low` after at most 5 ms. There is one timer for all queues, so that a message
 * alone in its turn pays for no more than its own write.
 */
export interface FlushScheduler {
  /** Where the shared paths of a priority begin in this turn. */
  readonly roots: Readonly<Record<GatheredPriority, BatchRoot>>;
  /** Where the paths of `critical` begin, each of one delivery. */
  readonly critical: BatchRoot;
  /** Has `queue.flush(priority)` called when it is time. Called once per queue and gathering. */
  mark(queue: Flushable, priority: GatheredPriority): void;
  close(): void;
}

/** How long messages of low priority are gathered at most. */
const LOW_MS = 5;

export function createFlushScheduler(clock: Pick<Clock, 'setTimer'>): FlushScheduler {
  return new TurnScheduler(clock);
}

class TurnScheduler implements FlushScheduler {
  readonly roots: Readonly<Record<GatheredPriority, BatchRoot>> = Object.freeze({
    high: createBatchRoot(),
    normal: createBatchRoot(),
    low: createBatchRoot(),
  });
  readonly critical: BatchRoot = createBatchRoot();
  readonly #clock: Pick<Clock, 'setTimer'>;
  readonly #marked: Record<GatheredPriority, Flushable[]> = { high: [], normal: [], low: [] };
  #lowTimer: Timer | undefined;

  constructor(clock: Pick<Clock, 'setTimer'>) {
    this.#clock = clock;
  }

  mark(queue: Flushable, priority: GatheredPriority): void {
    if (this.#marked[priority].push(queue) === 1) this.#schedule(priority);
  }

  close(): void {
    this.#lowTimer?.cancel();
    for (const list of Object.values(this.#marked)) list.length = 0;
  }

  #schedule(priority: GatheredPriority): void {
    // From within a microtask `nextTick` runs when all microtasks of this callback are done: a burst that came
    // in one read of a socket is gathered whole, and nothing waits for another callback.
    if (priority === 'high') queueMicrotask(() => process.nextTick(() => this.#flush('high')));
    else if (priority === 'normal') setImmediate(() => this.#flush('normal'));
    else this.#lowTimer = this.#clock.setTimer(() => this.#flush('low'), LOW_MS, { unref: true });
  }

  #flush(priority: GatheredPriority): void {
    const queues = this.#marked[priority];
    this.#marked[priority] = [];
    this.roots[priority].forget();
    for (const queue of queues) queue.flush(priority);
  }
}
