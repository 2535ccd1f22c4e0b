import type { Clock, Timer } from '@esdb-gater/types';
import { type BatchRoot, createBatchRoot } from './delivery-batch.ts';

/** The priorities that are gathered; `critical` never is. */
export type GatheredPriority = 'high' | 'normal' | 'low';

/** A queue with gathered deliveries. */
export interface Flushable {
  flush(priority: GatheredPriority): void;
}

/**
 * Decides when gathered deliveries are written: `high` at the end of the current callback, `normal` at the end of the
 * turn of the event loop, `low` after at most 5 ms. All queues share one timer, so that a single message costs only its
 * write.
 */
export interface FlushScheduler {
  /** The roots of this turn's shared paths. */
  readonly roots: Readonly<Record<GatheredPriority, BatchRoot>>;
  /** The root of the paths of `critical`, each of one delivery. */
  readonly critical: BatchRoot;
  /** Schedules `queue.flush(priority)`. Call it once per queue and batch. */
  mark(queue: Flushable, priority: GatheredPriority): void;
  close(): void;
}

/** The longest time that messages of low priority are gathered. */
const LOW_MS = 5;

/** Creates the scheduler that all queues share. */
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
    // Called in a microtask, `nextTick` runs after all microtasks of this callback: a burst that came in one read of
    // a socket is gathered whole, without waiting for another callback.
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
