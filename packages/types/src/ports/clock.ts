/** The clock. It is passed in, so that tests can control it. */
export interface Clock {
  /** Wall clock, milliseconds since the Unix epoch. It may jump. */
  now(): number;
  /** Monotonic milliseconds with fractions, from any origin. Every time-out and window is measured on it. */
  monotonic(): number;
  /** Calls `run` once after `delayMs`. The timer does not keep the process alive when `unref` is set. */
  setTimer(run: () => void, delayMs: number, options?: { readonly unref?: boolean }): Timer;
}

export interface Timer {
  cancel(): void;
}

/** The real clock of the platform, Node or browser. */
export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(run: () => void, delayMs: number, options: { readonly unref?: boolean } = {}): Timer {
    const handle: unknown = setTimeout(run, Math.max(0, delayMs));
    if (options.unref === true && typeof handle === 'object') (handle as { unref(): void }).unref();
    return { cancel: () => clearTimeout(handle as Parameters<typeof clearTimeout>[0]) };
  },
});
