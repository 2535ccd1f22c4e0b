import { type Clock, GaterError, type Timer } from '@esdb-gater/types';
import type { CompleteOptions } from './options.ts';

export interface WorkerHealthComponents {
  readonly clock: Clock;
  /** Asks the worker once; rejects when it does not answer. */
  readonly probe: () => Promise<void>;
  /** Whether another worker of the store is live. */
  readonly hasOthers: () => boolean;
  /** Told after each change of `live`. */
  readonly changed: (live: boolean) => void;
}

/** True for an error that tells of the worker's own state; all others are answers. */
export function isWorkerFailure(error: unknown): boolean {
  const { code } = GaterError.from(error);
  return code === 'timeout' || code === 'unavailable' || code === 'internal';
}

/**
 * Whether a worker gets calls. `maxFailures` failures in a row eject it; it comes back when it answers one probe,
 * made at the end of a time that doubles as long as probes fail or the next ejection follows soon.
 *
 * A store's last live worker is probed at once: without another to go to, waiting helps nobody, and one that merely
 * cannot write (a full disk) must go on to be read.
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

  constructor(components: WorkerHealthComponents, options: CompleteOptions) {
    this.#components = components;
    this.#options = options;
  }

  get live(): boolean {
    return this.#live;
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

  /** The worker is gone: no timer is left, and nothing changes any more. */
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
    // Whoever listens to `changed` may have ended this in between.
    if (this.#ended) return;
    const { clock } = this.#components;
    this.#timer = clock.setTimer(() => void this.#probe(false), this.#ejectedForMs, { unref: true });
  }

  async #probe(atOnce: boolean): Promise<void> {
    if (this.#ended) return;
    try {
      await this.#components.probe();
    } catch {
      if (!atOnce) this.#ejectedForMs = this.#doubled();
      this.#probeLater();
      return;
    }
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
