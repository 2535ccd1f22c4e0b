import { onAbort } from './on-abort.ts';

/** Limits how many calls run at once; the others wait in order. */
export class InFlight {
  readonly #limit: number;
  #running = 0;
  readonly #waiting = new Set<() => void>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** True when the next call does not have to wait. */
  get hasRoom(): boolean {
    return this.#running < this.#limit;
  }

  /** Runs `call` when there is room. `call` must not throw. @throws the signal's reason, when it ends first */
  run<T>(call: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (!this.hasRoom) return this.#room(signal).then(() => this.#counted(call));
    this.#running++;
    return this.#counted(call);
  }

  #counted<T>(call: () => Promise<T>): Promise<T> {
    const running = call();
    running.then(this.#onEnd, this.#onEnd);
    return running;
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
  readonly #onEnd = (): void => {
    for (const enter of this.#waiting) {
      this.#waiting.delete(enter);
      enter();
      return;
    }
    this.#running--;
  };
}
