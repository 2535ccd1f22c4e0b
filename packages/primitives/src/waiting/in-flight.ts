import { onAbort } from './on-abort.ts';

/** Limits how many calls run at once; the others wait in order. */
export class InFlight {
  readonly #limit: number;
  #running = 0;
  readonly #waiting = new Set<() => void>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Runs `call` when there is room. @throws the signal's reason, when it ends first */
  async run<T>(call: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (this.#running < this.#limit) this.#running++;
    else await this.#room(signal);
    try {
      return await call();
    } finally {
      this.#release();
    }
  }

  #room(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        stopListening();
        resolve();
      };
      this.#waiting.add(enter);
      const stopListening = onAbort(signal, (reason) => {
        this.#waiting.delete(enter);
        reject(reason);
      });
    });
  }

  /** Passes the place to the call that has waited the longest. */
  #release(): void {
    for (const enter of this.#waiting) {
      this.#waiting.delete(enter);
      enter();
      return;
    }
    this.#running--;
  }
}
