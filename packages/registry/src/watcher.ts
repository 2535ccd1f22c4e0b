import { GaterError, type RegistryEvent } from '@esdb-gater/types';

/** Events that wait for a watcher; one that is further behind has to start anew. */
const MOST_WAITING = 4_096;

type Next = IteratorResult<RegistryEvent, undefined>;

const DONE: Next = Object.freeze({ done: true, value: undefined });

/**
 * The events from its making on, for one reader. It listens before the first `next`, so that nothing between the
 * call of `watch` and the loop is lost, and what waits is bounded, so that nobody who never reads costs memory.
 */
export class Watcher implements AsyncIterableIterator<RegistryEvent, undefined> {
  readonly #left: (watcher: Watcher) => void;
  readonly #signal: AbortSignal | undefined;
  readonly #end = (): void => this.end();
  #waiting: RegistryEvent[] = [];
  #readers: PromiseWithResolvers<Next>[] = [];
  #ended = false;
  #failure: GaterError | undefined;

  /** @param left called once, when the watcher wants no more */
  constructor(left: (watcher: Watcher) => void, signal: AbortSignal | undefined) {
    this.#left = left;
    this.#signal = signal;
    if (signal?.aborted === true) this.#ended = true;
    else signal?.addEventListener('abort', this.#end, { once: true });
  }

  get ended(): boolean {
    return this.#ended;
  }

  push(event: RegistryEvent): void {
    if (this.#ended) return;
    const reader = this.#readers.shift();
    if (reader !== undefined) reader.resolve({ done: false, value: event });
    else if (this.#waiting.push(event) > MOST_WAITING) this.#fallBehind();
  }

  /** No more events; those that wait can still be read. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#signal?.removeEventListener('abort', this.#end);
    this.#left(this);
    for (const reader of this.#readers) reader.resolve(DONE);
    this.#readers = [];
  }

  /** @throws `overloaded` when this reader has fallen behind: read `workers()` and watch anew */
  next(): Promise<Next> {
    const event = this.#waiting.shift();
    if (event !== undefined) return Promise.resolve({ done: false, value: event });
    if (this.#failure !== undefined) {
      const failure = this.#failure;
      this.#failure = undefined;
      return Promise.reject(failure);
    }
    if (this.#ended) return Promise.resolve(DONE);
    const reader = Promise.withResolvers<Next>();
    this.#readers.push(reader);
    return reader.promise;
  }

  return(): Promise<Next> {
    this.#waiting = [];
    this.#failure = undefined;
    this.end();
    return Promise.resolve(DONE);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #fallBehind(): void {
    this.#waiting = [];
    this.#failure = new GaterError('overloaded', `a watcher is ${MOST_WAITING} events behind`);
    this.end();
  }
}
