/** What has to be closed again, in reverse order of its opening. (`AsyncDisposableStack` is not on Node 22.) */
export class Cleanup {
  #steps: (() => unknown)[] = [];

  /** Adds what closes the thing that was just opened. */
  defer(close: () => unknown): void {
    this.#steps.push(close);
  }

  /**
   * Closes everything, the last opened first, each once whatever the others do.
   *
   * @throws the first error of those that failed, after all have been tried
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
