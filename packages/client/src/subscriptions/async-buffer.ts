/** What a reader waits for. */
interface Waiter<T> {
  readonly resolve: (result: IteratorResult<T, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A queue that one side fills and the other reads as an async iterator. What was put in before the end is read
 * first, then the end: done, or the error, once.
 */
export class AsyncBuffer<T> {
  #items: T[] = [];
  /** Where the first item stands in `#items`: shifting an array of thousands would copy it each time. */
  #head = 0;
  readonly #waiters: Waiter<T>[] = [];
  #end: { error?: unknown } | undefined;
  readonly #onTaken: (item: T) => void;

  /** @param onTaken called with each item in the moment in which a reader gets it */
  constructor(onTaken: (item: T) => void = () => {}) {
    this.#onTaken = onTaken;
  }

  get size(): number {
    return this.#items.length - this.#head;
  }

  get ended(): boolean {
    return this.#end !== undefined;
  }

  put(item: T): void {
    if (this.#end !== undefined) return;
    const waiter = this.#waiters.shift();
    if (waiter === undefined) {
      this.#items.push(item);
      return;
    }
    this.#onTaken(item);
    waiter.resolve({ done: false, value: item });
  }

  /** Ends the iteration after what is there; with `failure`, by its error. */
  end(failure?: { readonly error: unknown }): void {
    if (this.#end !== undefined) return;
    this.#end = failure === undefined ? {} : { error: failure.error };
    for (const waiter of this.#waiters.splice(0)) this.#settle(waiter);
  }

  next(): Promise<IteratorResult<T, undefined>> {
    return new Promise((resolve, reject) => {
      if (this.size > 0) {
        const value = this.#shift();
        this.#onTaken(value);
        resolve({ done: false, value });
      } else if (this.#end !== undefined) {
        this.#settle({ resolve, reject });
      } else {
        this.#waiters.push({ resolve, reject });
      }
    });
  }

  /** Forgets what waits. */
  clear(): void {
    this.#items = [];
    this.#head = 0;
  }

  #shift(): T {
    const value = this.#items[this.#head++] as T;
    if (this.#head === this.#items.length) this.clear();
    else if (this.#head >= 1_024 && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return value;
  }

  #settle({ resolve, reject }: Waiter<T>): void {
    const end = this.#end;
    if (end !== undefined && 'error' in end) {
      const { error } = end;
      this.#end = {};
      reject(error);
    } else {
      resolve({ done: true, value: undefined });
    }
  }
}
