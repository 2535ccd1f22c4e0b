/**
 * Coalesces concurrent requests: one is in flight at a time, and all callers meanwhile share the next one, since the
 * one in flight may be older than the call.
 */
export class SingleFlight<Result> {
  readonly #request: () => Promise<Result>;
  #current: Promise<Result> | undefined;
  #next: Promise<Result> | undefined;

  constructor(request: () => Promise<Result>) {
    this.#request = request;
  }

  /** Resolves to the result of a request that began after this call. One that failed does not stop the next. */
  run(): Promise<Result> {
    if (this.#current === undefined) return this.#begin();
    this.#next ??= this.#current.then(
      () => this.#begin(),
      () => this.#begin(),
    );
    return this.#next;
  }

  #begin(): Promise<Result> {
    this.#next = undefined;
    const current: Promise<Result> = this.#request().finally(() => {
      if (this.#current === current) this.#current = undefined;
    });
    this.#current = current;
    return current;
  }
}
