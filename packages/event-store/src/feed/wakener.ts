import type { Clock } from '@esdb-gater/types';

/** Lets a loop sleep until something wakes it, time has passed, or it is to end. */
export class Wakener {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  #woken = false;
  #end: (() => void) | undefined;

  constructor(clock: Clock, signal: AbortSignal) {
    this.#clock = clock;
    this.#signal = signal;
  }

  /** Ends the sleep, or the next one when nobody sleeps: a wake-up is never lost. */
  wake(): void {
    this.#woken = true;
    this.#end?.();
  }

  /** Forgets wake-ups so far. To be called before looking for work, so that one in between counts. */
  reset(): void {
    this.#woken = false;
  }

  /** Sleeps until `wake`. */
  async sleep(ms: number): Promise<void> {
    if (this.#woken || this.#signal.aborted) return;
    await this.#wait(ms, (end) => {
      this.#end = end;
    });
    this.#end = undefined;
  }

  /** Sleeps although something wakes: the delay after an error. */
  async pause(ms: number): Promise<void> {
    if (!this.#signal.aborted) await this.#wait(ms, () => {});
  }

  #wait(ms: number, onStart: (end: () => void) => void): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel();
        this.#signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = this.#clock.setTimer(end, ms, { unref: true });
      this.#signal.addEventListener('abort', end);
      onStart(end);
    });
  }
}
