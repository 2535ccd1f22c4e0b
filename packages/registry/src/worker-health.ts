import { type Clock, GaterError, type Timer } from '@esdb-gater/types';
import type { CompleteOptions } from './options.ts';

export interface WorkerHealthComponents {
  readonly clock: Clock;
  /** Asks the worker once; rejects when it does not answer. */
  readonly probe: () => Promise<void>;
  /** Whether another worker of the store is live. */
  readonly hasOthers: () => boolean;
  /** Called after each change of `live`. */
  readonly changed: (live: boolean) => void;
}

/** Returns true for an error that means that the worker does not work; all other errors are answers. */
export function isWorkerFailure(error: unknown): boolean {
  const { code } = GaterError.from(error);
  return code === 'timeout' || code === 'unavailable' || code === 'internal';
}

/**
 * Tracks whether a worker gets calls. `maxFailures` consecutive failures eject it. After the ejection time one probe is
 * sent; an answer restores the worker. The ejection time doubles when the probe fails or when the next ejection follows
 * soon.
 *
 * A store's last live worker is probed at once, since no other worker could take its calls: a worker that only fails to
 * write (a full disk) can still serve reads.
 */
export class WorkerHealth {
  readonly #components: WorkerHealthComponents;
  readonly #options: CompleteOptions;
  #live = true;
  #failures = 0;
  /** Of the ejection that is or was last; 0 before the first. */
  #ejectedForMs = 0;
  #restoredAt = 0;
  #timer: Timer | undefined;
  #ended = false;
  #probing = false;

  constructor(components: WorkerHealthComponents, options: CompleteOptions) {
    this.#components = components;
    this.#options = options;
  }

  get live(): boolean {
    return this.#live;
  }

  /** Failures in a row. */
  get failures(): number {
    return this.#failures;
  }

  /** How long the present ejection lasts before its probe; 0 while the worker is live. */
  get ejectedForMs(): number {
    return this.#live ? 0 : this.#ejectedForMs;
  }

  /** True while the probe of an ejection waits for its answer. */
  get probing(): boolean {
    return this.#probing;
  }

  succeeded(): void {
    this.#failures = 0;
  }

  failed(): void {
    // Calls that began before an ejection end after it: they must not make it longer.
    if (!this.#live || this.#ended) return;
    this.#failures++;
    if (this.#failures >= this.#options.maxFailures) this.#eject();
  }

  /** Stops the timer and the probe; `live` does not change afterwards. */
  end(): void {
    this.#ended = true;
    this.#timer?.cancel();
  }

  #eject(): void {
    const { clock, hasOthers, changed } = this.#components;
    const soon = clock.monotonic() - this.#restoredAt < this.#ejectedForMs;
    this.#ejectedForMs = soon ? this.#doubled() : this.#options.ejectBaseMs;
    this.#live = false;
    const alone = !hasOthers();
    changed(false);
    if (alone) void this.#probe(true);
    else this.#probeLater();
  }

  #probeLater(): void {
    // A listener of `changed` may have called `end`.
    if (this.#ended) return;
    const { clock } = this.#components;
    this.#timer = clock.setTimer(() => void this.#probe(false), this.#ejectedForMs, { unref: true });
  }

  async #probe(atOnce: boolean): Promise<void> {
    if (this.#ended) return;
    this.#probing = true;
    try {
      await this.#components.probe();
    } catch {
      this.#probing = false;
      if (!atOnce) this.#ejectedForMs = this.#doubled();
      this.#probeLater();
      return;
    }
    this.#probing = false;
    if (this.#ended) return;
    this.#failures = 0;
    this.#restoredAt = this.#components.clock.monotonic();
    this.#live = true;
    this.#components.changed(true);
  }

  #doubled(): number {
    return Math.min(this.#ejectedForMs * 2, this.#options.ejectMaxMs);
  }
}
