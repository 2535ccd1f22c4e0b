import { GaterError } from '@esdb-gater/types';
import { onAbort } from '../waiting/on-abort.ts';
import { Fifo } from './fifo.ts';

export interface AsyncQueueOptions<T> {
  /**
   * Maximum number of waiting items; one more ends the queue with `overflowError`. @default no bound: the writer must
   * bound it
   */
  readonly maxItems?: number;
  /** @default `overloaded` */
  readonly overflowError?: () => unknown;
  /** Ends the queue. */
  readonly signal?: AbortSignal | undefined;
  /** Called with each item when a reader gets it. */
  readonly onTaken?: (item: T) => void;
  /** Called once, when the queue ends. */
  readonly onEnd?: (queue: AsyncQueue<T>) => void;
}

type Next<T> = IteratorResult<T, undefined>;

/**
 * A queue that one side fills and the other reads as an async iterable. Items added before the end are read first, then
 * the end: done, or the error, once.
 */
export class AsyncQueue<T> implements AsyncIterableIterator<T, undefined>, AsyncDisposable {
  readonly #items = new Fifo<T>();
  readonly #readers = new Fifo<PromiseWithResolvers<Next<T>>>();
  readonly #options: AsyncQueueOptions<T>;
  #stopListening: () => void = () => {};
  #ended = false;
  /** The error of the end, until a reader has received it. */
  #failure: { readonly error: unknown } | undefined;

  constructor(options: AsyncQueueOptions<T> = {}) {
    this.#options = options;
    this.#stopListening = onAbort(options.signal, () => this.end());
  }

  /** The number of waiting items. */
  get size(): number {
    return this.#items.length;
  }

  /** True when a reader waits: the next item goes straight to it. */
  get isAwaited(): boolean {
    return this.#readers.length > 0;
  }

  /** True once the queue has ended. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Has no effect after the end. */
  put(item: T): void {
    if (this.#ended) return;
    const reader = this.#readers.shift();
    if (reader !== undefined) {
      this.#options.onTaken?.(item);
      reader.resolve({ done: false, value: item });
      return;
    }
    const { maxItems = Number.POSITIVE_INFINITY } = this.#options;
    if (this.#items.length >= maxItems) this.#overflow(maxItems);
    else this.#items.push(item);
  }

  /**
   * Ends the iteration after the waiting items; with `failure`, it then throws that error. A second call has no effect.
   */
  end(failure?: { readonly error: unknown }): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = failure;
    this.#stopListening();
    this.#options.onEnd?.(this);
    for (let reader = this.#readers.shift(); reader !== undefined; reader = this.#readers.shift()) {
      this.#settle(reader);
    }
  }

  /** Drops the waiting items. */
  clear(): void {
    this.#items.clear();
  }

  next(): Promise<Next<T>> {
    const reader = Promise.withResolvers<Next<T>>();
    if (this.#items.length > 0) {
      const value = this.#items.shift() as T;
      this.#options.onTaken?.(value);
      reader.resolve({ done: false, value });
    } else if (this.#ended) this.#settle(reader);
    else this.#readers.push(reader);
    return reader.promise;
  }

  /** Ends the queue at once: the waiting items and the error are dropped. */
  return(): Promise<Next<T>> {
    this.clear();
    this.end();
    this.#failure = undefined;
    return this.next();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #overflow(maxItems: number): void {
    const { overflowError } = this.#options;
    this.clear();
    this.end({
      error: overflowError?.() ?? new GaterError('overloaded', `a reader is ${maxItems} items behind`),
    });
  }

  #settle(reader: PromiseWithResolvers<Next<T>>): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure === undefined) reader.resolve({ done: true, value: undefined });
    else reader.reject(failure.error);
  }
}
