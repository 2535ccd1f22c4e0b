import { describe, expect, test } from 'vitest';
import { summaryOf } from './summary.ts';

const file = (...statuses: string[]) => ({
  name: 'a.test.ts',
  status: statuses.includes('failed') ? 'failed' : 'passed',
  assertionResults: statuses.map((status, index) => ({ status, fullName: `test ${index}` })),
});

describe('the closing line of a test run', () => {
  test('counts passed and failed tests', () => {
    const { lines, exitCode } = summaryOf({ testResults: [file('passed', 'failed')] }, 1);
    expect(lines.at(-1)).toBe('1 passed, 1 failed');
    expect(exitCode).toBe(1);
  });

  test('lists skipped tests', () => {
    const { lines, exitCode } = summaryOf({ testResults: [file('passed', 'skipped')] }, 0);
    expect(lines).toEqual(['skipped: test 1', '1 passed, 0 failed, 1 skipped']);
    expect(exitCode).toBe(0);
  });

  test('fails a run with skipped tests if no test may be skipped', () => {
    const { lines, exitCode } = summaryOf({ testResults: [file('passed', 'skipped')] }, 0, true);
    expect(lines.at(-1)).toBe('1 passed, 1 failed, 1 skipped');
    expect(exitCode).toBe(1);
  });

  test('counts a file that could not be loaded as failed', () => {
    const broken = { name: 'b.test.ts', status: 'failed', assertionResults: [] };
    expect(summaryOf({ testResults: [file('passed'), broken] }, 1).lines.at(-1)).toBe('1 passed, 1 failed');
  });

  test('fails a run that failed although no test did', () => {
    expect(summaryOf({ testResults: [file('passed')] }, 1)).toMatchObject({ exitCode: 1 });
  });

  test('fails a run without tests', () => {
    expect(summaryOf({ testResults: [] }, 0).exitCode).toBe(1);
    expect(summaryOf(undefined, 0).exitCode).toBe(1);
  });
});
