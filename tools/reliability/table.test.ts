import { expect, test } from 'vitest';
import { FAULTS, REPORTS, THREATS } from './rows.ts';
import { proofsOf, renderTable } from './table.ts';

const report = {
  testResults: [
    {
      name: '/repo/a.test.ts',
      status: 'failed',
      assertionResults: [
        { status: 'passed', fullName: 'T6: a token on a live socket ends its calls' },
        { status: 'failed', fullName: 'a file through a hard link is refused [R14] [F24]' },
        { status: 'skipped', fullName: 'a store on UTF8 or T1000 or a-T2 names no row' },
      ],
    },
  ],
};

test('a title names its rows only before a colon or in brackets', () => {
  expect(proofsOf(report, '/repo')).toEqual([
    { id: 'T6', title: 'T6: a token on a live socket ends its calls', file: 'a.test.ts', status: 'passed' },
    { id: 'R14', title: 'a file through a hard link is refused', file: 'a.test.ts', status: 'failed' },
    { id: 'F24', title: 'a file through a hard link is refused', file: 'a.test.ts', status: 'failed' },
  ]);
});

test('the table has every row, with its tests and their results, or a dash', () => {
  const text = renderTable(proofsOf(report, '/repo'));
  for (const { id } of [...THREATS, ...FAULTS, ...REPORTS]) expect(text).toContain(`\n| ${id} | `);
  expect(text).toContain('| ✗ a file through a hard link is refused (`a.test.ts`) |');
  expect(text).toMatch(/\| F23 \| .* \| — \|/);
});

test('there are 38 threats, 36 faults and 34 reports', () => {
  expect([THREATS.length, FAULTS.length, REPORTS.length]).toEqual([38, 36, 34]);
});
