import type { Report } from '../test/summary.ts';
import { FAULTS, REPORTS, type Row, THREATS } from './rows.ts';

/** A test of a row. */
export interface Proof {
  readonly id: string;
  readonly title: string;
  /** Relative to the repository. */
  readonly file: string;
  readonly status: string;
}

/** A mark in a title: `T29`, `F24` or `R5`: as the whole text, in brackets, in parentheses or before a colon. */
const MARK = /(?<![\w.-])([TFR]\d{1,2})(?![\w.-])/g;

const ROWS: readonly (readonly [heading: string, rows: readonly Row[]])[] = [
  ['Threats', THREATS],
  ['Faults', FAULTS],
  ['Reports', REPORTS],
];

/** Finds the tests with a row in their full title. A title may name several. */
export function proofsOf(report: Report, root: string): Proof[] {
  return report.testResults.flatMap(({ name, assertionResults }) =>
    assertionResults.flatMap(({ fullName, status }) =>
      [...new Set([...fullName.matchAll(MARK)].map(([, id = '']) => id))].map((id) => ({
        id,
        title: titleOf(fullName),
        file: name.startsWith(`${root}/`) ? name.slice(root.length + 1) : name,
        status,
      })),
    ),
  );
}

/** The title for people: without marks in brackets. */
function titleOf(fullName: string): string {
  return fullName
    .replaceAll(/\s*\[[TFR]\d+\]/g, '')
    .replaceAll('|', '\\|')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

/** Creates the document: a table for each kind of row, with every test and its result. */
export function renderTable(proofs: readonly Proof[]): string {
  const sections = ROWS.map(([heading, rows]) => {
    const lines = rows.map(
      ({ id, what, promise }) => `| ${id} | ${what} | ${promise} | ${cellOf(id, proofs)} |`,
    );
    return `## ${heading}\n\n| | what | promise | tests |\n|---|---|---|---|\n${lines.join('\n')}\n`;
  });
  return `${HEAD}\n${sections.join('\n')}`;
}

/** How many titles a cell shows; the others are counted. */
const MAX_TITLES = 4;

function cellOf(id: string, proofs: readonly Proof[]): string {
  const own = proofs.filter((proof) => proof.id === id);
  if (own.length === 0) return '—';
  const shown = own
    .slice(0, MAX_TITLES)
    .map(({ title, file, status }) => `${markOf(status)} ${title} (\`${file}\`)`);
  const rest = own.slice(MAX_TITLES);
  const failed = rest.filter(({ status }) => status === 'failed').length;
  const more =
    rest.length === 0 ? [] : [`and ${rest.length} more${failed === 0 ? '' : `, ${failed} failed`}`];
  return [...shown, ...more].join('<br>');
}

function markOf(status: string): string {
  return status === 'passed' ? '✓' : status === 'failed' ? '✗' : '–';
}

const HEAD = `# Reliability

What can go wrong, what is promised, and the tests that hold the promise. \`npm run docs:reliability\` writes this file from
the titles and results of a whole test run: ✓ passed, ✗ failed, – skipped, — no test yet. To run the tests of a row, pass its
name: \`npm test -- -t 'F24\\b'\`.

**An append that was acknowledged survives \`kill -9\` and, with the default flush setting, power loss**, exactly once per event
id. Messages on channels are delivered at least once, in order per topic and per stream; only channels of low priority may drop
messages, and they report it. There is no order across topics, and no exactly-once delivery.

Threats (T) are what attackers try. Faults (F) are what breaks. Reports (R) are what public bug reports of similar programs and
attack variants found in an earlier version.
`;
