/** The part of Vitest's JSON report that the summary needs. */
export interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message?: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

export interface Summary {
  readonly lines: readonly string[];
  readonly exitCode: number;
}

/**
 * Returns the last lines of a run: the names of skipped tests, then `N passed, N failed`. A file that could not be
 * loaded counts as one failed test, and so does a run without a report. With `nothingSkipped` a skipped test counts as
 * failed: on a machine with all components every test must run.
 */
export function summaryOf(report: Report | undefined, exitCode: number, nothingSkipped = false): Summary {
  if (report === undefined)
    return { lines: ['no report was written', '0 passed, 1 failed'], exitCode: exitCode || 1 };
  const tests = report.testResults.flatMap((file) => file.assertionResults);
  const passed = tests.filter((test) => test.status === 'passed').length;
  const skipped = tests.filter((test) => test.status !== 'passed' && test.status !== 'failed');
  const brokenFiles = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  );
  const failed =
    tests.filter((test) => test.status === 'failed').length +
    brokenFiles.length +
    (nothingSkipped ? skipped.length : 0);
  // An unhandled rejection fails the run without failing a test: it must not close as a success.
  const unexplained = failed === 0 && exitCode !== 0 ? 1 : 0;
  return {
    lines: [
      ...skipped.map((test) => `skipped: ${test.fullName}`),
      ...brokenFiles.map((file) => `could not be run: ${file.name}`),
      `${passed} passed, ${failed + unexplained} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`,
    ],
    exitCode: failed + unexplained > 0 || passed === 0 ? exitCode || 1 : 0,
  };
}
