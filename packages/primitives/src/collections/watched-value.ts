import { onAbort } from '../waiting/on-abort.ts';

/**
 * A value that changes, for many readers. Each reader gets the present value and then the newest one after every change:
 * a reader that is slow misses those in between, so that nothing is queued.
 */
export class WatchedValue<T> {
  readonly #wakers = new Set<() => void>();
  #value: T;
  #revision = 0;
  #closed = false;

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  set value(value: T) {
    this.#value = value;
    this.#revision++;
    this.#wake();
  }

  /** Yields the value and its changes, until `signal` aborts or the value is closed. */
  async *watch(signal?: AbortSignal): AsyncGenerator<T, undefined> {
    for (let seen = -1; ; ) {
      if (this.#closed || signal?.aborted === true) return undefined;
      if (seen === this.#revision) await this.#change(signal);
      else {
        seen = this.#revision;
        yield this.#value;
      }
    }
  }

  /** Ends all readers. A second call has no effect. */
  close(): void {
    this.#closed = true;
    this.#wake();
  }

  #wake(): void {
    for (const waker of this.#wakers) waker();
  }

  async #change(signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wakers.add(resolve);
    const stopListening = onAbort(signal, () => resolve());
    await promise;
    this.#wakers.delete(resolve);
    stopListening();
  }
}
