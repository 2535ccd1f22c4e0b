/** Closes what was opened, in reverse order. (Node 22 has no `AsyncDisposableStack`.) */
export class Cleanup {
  #steps: (() => unknown)[] = [];

  /** Adds a function that closes what was just opened. */
  defer(close: () => unknown): void {
    this.#steps.push(close);
  }

  /**
   * Closes everything once, the last opened first, even if some fail.
   *
   * @throws the first error, after everything was tried
   */
  async run(): Promise<void> {
    const errors: unknown[] = [];
    for (let close = this.#steps.pop(); close !== undefined; close = this.#steps.pop()) {
      try {
        await close();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }
}
