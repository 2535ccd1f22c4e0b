/** Waits for a step of the clean-up, with a limit. Resolves to whether it ended in time. */
export type WaitForStep = (step: Promise<unknown>) => Promise<boolean>;

/** Runs clean-up functions in reverse order. (Node 22 has no `AsyncDisposableStack`.) */
export class Cleanup {
  #steps: (() => unknown)[] = [];

  /** Adds a clean-up function for a resource that was just opened. */
  defer(close: () => unknown): void {
    this.#steps.push(close);
  }

  /**
   * Closes everything once, the last opened first, even if some fail or do not end in time.
   *
   * @param wait waits for a step; by default as long as it takes
   * @throws the first error, after everything was tried
   */
  async run(wait: WaitForStep = (step) => step.then(() => true)): Promise<void> {
    const errors: unknown[] = [];
    for (let close = this.#steps.pop(); close !== undefined; close = this.#steps.pop()) {
      const step = Promise.resolve().then(close);
      // No caller waits for a step that fails after its time limit.
      step.catch((error: unknown) => errors.push(error));
      try {
        if (!(await wait(step))) errors.push(new Error('a part did not close in time'));
      } catch {
        // Collected above.
      }
    }
    if (errors.length > 0) throw errors[0];
  }
}
