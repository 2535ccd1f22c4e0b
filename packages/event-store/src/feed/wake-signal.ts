import { finishesWithin, onAbort } from '@esdb-gater/primitives';
import type { Clock } from '@esdb-gater/types';

/** Lets a loop sleep until it is woken, time has passed, or it is to end. */
export class WakeSignal {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  #woken = false;
  #end: (() => void) | undefined;

  constructor(clock: Clock, signal: AbortSignal) {
    this.#clock = clock;
    this.#signal = signal;
  }

  /** Ends the sleep, or the next one when nobody sleeps, so that a wake-up is never lost. */
  wake(): void {
    this.#woken = true;
    this.#end?.();
  }

  /** Forgets earlier wake-ups. Call it before looking for work, so that a wake-up meanwhile counts. */
  reset(): void {
    this.#woken = false;
  }

  /** Sleeps until `wake`, for at most `ms`. */
  async sleep(ms: number): Promise<void> {
    if (this.#woken || this.#signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#end = resolve;
    const stopListening = onAbort(this.#signal, () => resolve());
    await finishesWithin(promise, ms, this.#clock, { unref: true });
    stopListening();
    this.#end = undefined;
  }
}
