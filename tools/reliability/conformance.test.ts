import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { conformanceCases, conformanceTable, replaceTable } from './conformance.ts';

const cases = new Map([
  ['', ['appends', 'reads']],
  ['snapshots', ['keeps a snapshot']],
]);
const report = {
  testResults: [
    {
      name: 'a.test.ts',
      status: 'failed',
      assertionResults: [
        { status: 'passed', fullName: 'memory store: appends' },
        { status: 'failed', fullName: 'memory store: reads' },
        { status: 'passed', fullName: 'PostgreSQL postgres store: appends' },
        { status: 'passed', fullName: 'PostgreSQL postgres store: reads' },
        { status: 'passed', fullName: 'PostgreSQL postgres store: keeps a snapshot' },
        { status: 'skipped', fullName: 'sqlite store: appends' },
        { status: 'passed', fullName: 'another store: appends' },
      ],
    },
  ],
};

test('a cell says how many of the cases of its row a store has passed', () => {
  const lines = conformanceTable(report, cases).split('\n');
  expect(lines[0]).toBe('| what the cases are about | memory | SQLite | PostgreSQL |');
  expect(lines[2]).toMatch(/^\| appends .* \| 1 of 2 \| – \| ✓ 2 \|$/);
  expect(lines.find((line) => line.startsWith('| snapshots '))).toBe('| snapshots | – | – | ✓ 1 |');
});

test('the table of the document was written with the cases that the suites have now', () => {
  const document = readFileSync(
    join(import.meta.dirname, '..', '..', 'packages', 'conformance', 'README.md'),
    'utf8',
  );
  // The events of the store in memory end with it.
  const ofMemory = new Set([...conformanceCases({ reopening: false })].flatMap(([, titles]) => titles));
  const all = [...conformanceCases()].flatMap(([, titles]) => titles);
  const testResults = ['memory store', 'sqlite store', 'PostgreSQL postgres store'].map((name) => ({
    name,
    status: 'passed',
    assertionResults: all
      .filter((title) => name !== 'memory store' || ofMemory.has(title))
      .map((title) => ({ status: 'passed', fullName: `${name}: ${title}` })),
  }));
  expect(document).toBe(replaceTable(document, conformanceTable({ testResults })));
});
