import { type Clock, GaterError } from '@esdb-gater/types';

/** A slot in a rate window, which can be released. */
export interface RatePlace {
  /** Frees the place, as the message was refused later. */
  release(): void;
}

/** Allows each publisher at most `maxRate` messages in any 1 000 ms. */
export interface RateLimiter {
  /** How many publishers have a window. */
  readonly publishers: number;
  /** @throws `rate_limited` with `retryAfterMs`, the time until the next one would pass */
  take(publisher: string): RatePlace;
}

/** Width of a slot. A message counts until its whole slot has left the window, so the error is on the strict side. */
const SLOT_MS = 10;

/** How many slots a window of 1 000 ms can touch. */
const SLOTS = 101;

/** How often the windows of silent publishers are removed. */
const SWEEP_MS = 1_000;

export function createRateLimiter(
  channel: string,
  maxRate: number,
  clock: Pick<Clock, 'monotonic'>,
): RateLimiter {
  return new SlidingLimiter(channel, maxRate, clock);
}

class SlidingLimiter implements RateLimiter {
  readonly #channel: string;
  readonly #maxRate: number;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #windows = new Map<string, SlidingWindow>();
  #sweptAt: number;

  constructor(channel: string, maxRate: number, clock: Pick<Clock, 'monotonic'>) {
    this.#channel = channel;
    this.#maxRate = maxRate;
    this.#clock = clock;
    this.#sweptAt = clock.monotonic();
  }

  get publishers(): number {
    return this.#windows.size;
  }

  take(publisher: string): RatePlace {
    const now = this.#clock.monotonic();
    if (now - this.#sweptAt >= SWEEP_MS) this.#sweep(now);
    let window = this.#windows.get(publisher);
    if (window === undefined) {
      window = new SlidingWindow();
      this.#windows.set(publisher, window);
    }
    const slot = Math.floor(now / SLOT_MS);
    window.moveTo(slot);
    if (window.total >= this.#maxRate) throw this.#refused(window, now);
    return window.take(slot);
  }

  #refused(window: SlidingWindow, now: number): GaterError {
    const retryAfterMs = Math.max(1, Math.ceil(window.oldestSlot() * SLOT_MS + SLOTS * SLOT_MS - now));
    return new GaterError(
      'rate_limited',
      `channel ${this.#channel} takes at most ${this.#maxRate} messages in 1000 ms from one publisher, ` +
        `the next one passes in ${retryAfterMs} ms`,
      { details: { channel: this.#channel, maxRate: this.#maxRate, retryAfterMs } },
    );
  }

  #sweep(now: number): void {
    this.#sweptAt = now;
    const slot = Math.floor(now / SLOT_MS);
    for (const [publisher, window] of this.#windows) {
      window.moveTo(slot);
      if (window.total === 0) this.#windows.delete(publisher);
    }
  }
}

/** Counts in slots, oldest first. Only slots with messages are listed, so a quiet publisher costs little. */
class SlidingWindow {
  total = 0;
  #slots: number[] = [];
  #counts: number[] = [];

  /** Removes the slots before the window that ends in `slot`. */
  moveTo(slot: number): void {
    let gone = 0;
    while (gone < this.#slots.length && (this.#slots[gone] as number) <= slot - SLOTS) {
      this.total -= this.#counts[gone] as number;
      gone++;
    }
    if (gone > 0) {
      this.#slots.splice(0, gone);
      this.#counts.splice(0, gone);
    }
  }

  take(slot: number): RatePlace {
    const last = this.#slots.length - 1;
    if (this.#slots[last] === slot) {
      this.#counts[last] = (this.#counts[last] as number) + 1;
    } else {
      this.#slots.push(slot);
      this.#counts.push(1);
    }
    this.total++;
    let held = true;
    return {
      release: () => {
        if (held) this.#release(slot);
        held = false;
      },
    };
  }

  /** The oldest slot that still counts; there is room when it leaves the window. */
  oldestSlot(): number {
    const index = this.#counts.findIndex((count) => count > 0);
    return this.#slots[index] ?? 0;
  }

  #release(slot: number): void {
    const index = this.#slots.lastIndexOf(slot);
    if (index === -1) return;
    this.#counts[index] = (this.#counts[index] as number) - 1;
    this.total--;
  }
}
