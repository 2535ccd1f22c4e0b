import { Fifo } from '@esdb-gater/primitives';
import { type Clock, GaterError, LIMITS, type Timer } from '@esdb-gater/types';

/** A connection that output is written to. */
export interface Output {
  /** Returns the bytes that wait to be sent. */
  unsent(): number;
  /** Returns the bytes that the system has taken so far. */
  sent(): number;
  /** Destroys the connection. */
  cut(): void;
}

export interface OutboundBudgetOptions {
  /** Unsent bytes of all connections together, pages that are being read included. */
  readonly maxBytes: number;
  /** A connection that has not read for this time is destroyed when others need the room. */
  readonly stalledMs: number;
}

/**
 * Bounds the output of all connections together that no client has read yet. Beyond the limit no further page is read
 * from a store, and connections whose client does not read are destroyed.
 */
export interface OutboundBudget {
  /** Returns a function that ends the watching. */
  watch(output: Output): () => void;
  /**
   * Takes the room for one page, which `leave` gives back. Returns false when there is no room. A caller that already
   * has output waiting is `greedy` and gets only half of the room, so that some is left for others.
   */
  tryEnter(greedy?: boolean): boolean;
  /**
   * Releases the room of a page.
   *
   * @param unsentBytes the bytes of the page that wait to be sent. @default the maximum of a page
   */
  leave(unsentBytes?: number): void;
  /** Returns whether there is room for more output. A caller that already has output waiting is `greedy`. */
  hasRoom(greedy?: boolean): boolean;
  /** Counts output that was written to a connection without a page, until it is measured. */
  wrote(bytes: number): void;
  /** Calls `run` once when there may be room. */
  whenRoom(run: () => void): void;
  /** Waits for the room for one page. @throws `overloaded` when there is no room within the time limit */
  enter(): Promise<void>;
  close(): void;
}

/** The room for a page of unknown size: the maximum of a page. */
const PAGE_BYTES = LIMITS.pageBytes;

/** How long a sum over all connections is good for. */
const MEASURE_MS = 10;

const SWEEP_MS = 500;

/** How long `enter` waits. */
const ENTER_MS = 20_000;

interface Watch {
  readonly output: Output;
  sent: number;
  movedAt: number;
}

export function createOutboundBudget(clock: Clock, options: OutboundBudgetOptions): OutboundBudget {
  return new SharedOutput(clock, options);
}

class SharedOutput implements OutboundBudget {
  readonly #clock: Clock;
  readonly #options: OutboundBudgetOptions;
  readonly #watches = new Set<Watch>();
  readonly #waiting = new Fifo<() => void>();
  #pages = 0;
  #unsent = 0;
  #measuredAt = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;
  #retryTimer: Timer | undefined;
  /** A page was refused since the last sweep. */
  #refused = false;

  constructor(clock: Clock, options: OutboundBudgetOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  watch(output: Output): () => void {
    const watch: Watch = { output, sent: output.sent(), movedAt: this.#clock.monotonic() };
    this.#watches.add(watch);
    this.#timer ??= this.#clock.setTimer(this.#sweep, SWEEP_MS, { unref: true });
    return () => {
      this.#watches.delete(watch);
      this.#wake();
    };
  }

  hasRoom(greedy = false): boolean {
    return this.#measure() + this.#pages * PAGE_BYTES <= this.#roomOf(greedy);
  }

  wrote(bytes: number): void {
    this.#unsent += bytes;
  }

  tryEnter(greedy = false): boolean {
    if (this.#measure() + (this.#pages + 1) * PAGE_BYTES > this.#roomOf(greedy)) {
      this.#refused = true;
      return false;
    }
    this.#pages++;
    return true;
  }

  leave(unsentBytes: number = PAGE_BYTES): void {
    this.#pages--;
    // Counted until the next measurement finds it.
    this.#unsent += unsentBytes;
    this.#wake();
  }

  whenRoom(run: () => void): void {
    this.#waiting.push(run);
    // The room may have been refused because of an outdated measurement.
    this.#retryTimer ??= this.#clock.setTimer(this.#retry, MEASURE_MS, { unref: true });
  }

  async enter(): Promise<void> {
    const end = this.#clock.monotonic() + ENTER_MS;
    while (!this.tryEnter()) {
      if (this.#clock.monotonic() >= end) {
        throw new GaterError('overloaded', 'too much output waits for clients that do not read it');
      }
      await new Promise<void>((resolve) => this.whenRoom(resolve));
    }
  }

  close(): void {
    this.#timer?.cancel();
    this.#retryTimer?.cancel();
    this.#watches.clear();
  }

  #roomOf(greedy: boolean): number {
    return greedy ? this.#options.maxBytes / 2 : this.#options.maxBytes;
  }

  #measure(): number {
    const now = this.#clock.monotonic();
    if (now - this.#measuredAt >= MEASURE_MS) {
      this.#measuredAt = now;
      this.#unsent = 0;
      for (const { output } of this.#watches) this.#unsent += output.unsent();
    }
    return this.#unsent;
  }

  /** Lets each of those that wait try once. */
  #wake(): void {
    for (let count = this.#waiting.length; count > 0; count--) this.#waiting.shift()?.();
  }

  readonly #retry = (): void => {
    this.#retryTimer = undefined;
    this.#wake();
  };

  readonly #sweep = (): void => {
    const now = this.#clock.monotonic();
    const stalled: Watch[] = [];
    for (const watch of this.#watches) {
      const sent = watch.output.sent();
      if (sent !== watch.sent || watch.output.unsent() === 0) {
        watch.sent = sent;
        watch.movedAt = now;
      } else if (now - watch.movedAt >= this.#options.stalledMs) stalled.push(watch);
    }
    if (this.#refused || this.#measure() > this.#options.maxBytes) {
      for (const { output } of stalled) output.cut();
    }
    this.#refused = false;
    this.#wake();
    this.#timer =
      this.#watches.size === 0 && this.#waiting.length === 0
        ? undefined
        : this.#clock.setTimer(this.#sweep, SWEEP_MS, { unref: true });
  };
}
