import { expect, test } from 'vitest';
import type { SuiteReport } from '../suite-case.ts';
import { type CaseResult, runCases } from './run-cases.ts';

const REPORT: SuiteReport = {
  supports: { snapshots: false, deletion: true },
  cases: [
    { title: 's: keeps', needs: ['deletion'], run: async () => undefined },
    { title: 's: breaks', needs: [], run: () => Promise.reject(new TypeError('it broke')) },
    { title: 's: cannot', needs: ['deletion', 'snapshots'], run: () => Promise.reject(new Error('was run')) },
    { title: 's: hangs', needs: [], run: () => new Promise(() => undefined) },
  ],
};

async function resultsOf(only?: string): Promise<CaseResult[]> {
  return Array.fromAsync(runCases(REPORT, { only, timeoutMs: 20 }));
}

test('each case passes, fails with its reason, or is named as not supported', async () => {
  expect(await resultsOf()).toEqual([
    { title: 's: keeps', outcome: 'passed' },
    { title: 's: breaks', outcome: 'failed', reason: 'TypeError: it broke' },
    { title: 's: cannot', outcome: 'not supported', reason: 'needs snapshots' },
    { title: 's: hangs', outcome: 'failed', reason: 'did not end within 20 ms' },
  ]);
});

test('only the cases that were asked for are run', async () => {
  expect(await resultsOf('keeps')).toEqual([{ title: 's: keeps', outcome: 'passed' }]);
});
