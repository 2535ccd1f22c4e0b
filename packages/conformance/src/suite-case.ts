/** A promise of a port, as a case for any test runner. */
export interface SuiteCase {
  readonly title: string;
  /** What the adapter must support for the case to be run. */
  readonly needs: readonly string[];
  /** Rejects with an `AssertionError` when the promise is not kept. */
  readonly run: () => Promise<void>;
}

/** All cases of a suite, and what the adapter under test supports. */
export interface SuiteReport {
  readonly supports: Readonly<Record<string, boolean>>;
  readonly cases: readonly SuiteCase[];
}

/** Returns true when the adapter supports everything that the case needs. */
export function isSupported({ needs }: SuiteCase, { supports }: SuiteReport): boolean {
  return needs.every((need) => supports[need] === true);
}
