import type { Clock, PublishResult } from '@esdb-gater/types';

/** A publish that a repetition may meet. */
export interface RememberedPublish {
  /** What it was answered, once it was. */
  result: PublishResult | undefined;
  /** While it is on its way. */
  waiting: Promise<PublishResult> | undefined;
}

/**
 * The publishes with an `id` of the last minutes. One that is neither answered nor waiting ended in doubt: whether
 * the broker has it is not known, so a repetition is sent again.
 */
export interface PublishMemory {
  find(key: string): RememberedPublish | undefined;
  remember(key: string): RememberedPublish;
  forget(key: string): void;
}

interface Entry extends RememberedPublish {
  readonly atMs: number;
}

/**
 * Two generations, of which the older is thrown away whole: nothing is searched for and nothing deleted one by
 * one. An entry lives between one and two windows, and is recognised for one.
 *
 * @param maxEntries of both generations together; when they are full before the time, the older goes early
 */
export function createPublishMemory(
  clock: Pick<Clock, 'monotonic'>,
  windowMs: number,
  maxEntries: number,
): PublishMemory {
  return new TwoGenerations(clock, windowMs, maxEntries >> 1);
}

class TwoGenerations implements PublishMemory {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #windowMs: number;
  readonly #half: number;
  #young = new Map<string, Entry>();
  #old = new Map<string, Entry>();
  #turnedAt: number;

  constructor(clock: Pick<Clock, 'monotonic'>, windowMs: number, half: number) {
    this.#clock = clock;
    this.#windowMs = windowMs;
    this.#half = half;
    this.#turnedAt = clock.monotonic();
  }

  find(key: string): RememberedPublish | undefined {
    const entry = this.#young.get(key) ?? this.#old.get(key);
    if (entry === undefined || this.#clock.monotonic() - entry.atMs > this.#windowMs) return undefined;
    return entry;
  }

  remember(key: string): RememberedPublish {
    const atMs = this.#clock.monotonic();
    if (this.#young.size >= this.#half || atMs - this.#turnedAt > this.#windowMs) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#turnedAt = atMs;
    }
    const entry: Entry = { atMs, result: undefined, waiting: undefined };
    if (this.#half > 0) this.#young.set(key, entry);
    return entry;
  }

  forget(key: string): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }
}
