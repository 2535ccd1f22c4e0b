import { storeSuite, subscriptionSuite } from '@esdb-gater/conformance';
import { replaceSection } from '../docs/marked-section.ts';
import type { Report } from '../test/summary.ts';

/** The stores of this project: the name that their suites are run with, and that of the column. */
const STORES = [
  ['memory store', 'memory'],
  ['sqlite store', 'SQLite'],
  ['postgres store', 'PostgreSQL'],
] as const;

/** The rows: what a case needs first of all, and what it is about. */
const ROWS: readonly (readonly [need: string, about: string])[] = [
  [
    '',
    'appends checked against versions, idempotent by ids, linearizable; reads of streams and of the store',
  ],
  ['queries', 'queries by types and tags, appends with conditions'],
  ['severalStreams', 'appends to several streams at once'],
  ['deletion', 'deletion'],
  ['versionAt', 'versions at a time'],
  ['bytes', 'events of bytes'],
  ['snapshots', 'snapshots'],
  ['tamperEvidence', 'chains of hashes (`tamperEvident`)'],
  ['feed', 'the checkpoint of the feed, news of commits'],
  ['subscriptions', 'the state of persistent subscriptions'],
  ['inProcess', 'ids, aborts and the end of a store object'],
  ['durability', 'everything is there after the store was opened again'],
  ['subscriptionSuite', 'delivery by persistent subscriptions'],
];

const BEGIN = '<!-- Written by `npm run docs:reliability`. -->';
const END = '<!-- The end of what it writes. -->';

/** The titles of all cases of a row, without the name of a store. */
type Cases = ReadonlyMap<string, readonly string[]>;

const unused = (): never => {
  throw new Error('the cases are listed, not run');
};

/**
 * Returns the cases of every row.
 *
 * @param options `reopening`: those for a store that keeps its events. @default true
 * @throws when a case belongs to no row
 */
export function conformanceCases({ reopening = true }: { readonly reopening?: boolean } = {}): Cases {
  const reopen = reopening ? { reopen: unused } : {};
  const options = { name: '', open: unused, openTamperEvident: unused, ...reopen };
  const found = Map.groupBy(
    storeSuite(options).map(({ title, needs }) => ({ title: title.slice(2), need: needs[0] ?? '' })),
    ({ need }) => need,
  );
  const cases = new Map([...found].map(([need, list]) => [need, list.map(({ title }) => title)]));
  cases.set(
    'subscriptionSuite',
    subscriptionSuite({ name: '', open: unused, ...reopen }).map(({ title }) => title.slice(2)),
  );
  const stray = [...cases.keys()].find((need) => !ROWS.some(([known]) => known === need));
  if (stray !== undefined) throw new Error(`no row is about the cases that need ${stray}`);
  return cases;
}

/** Creates the table of the stores by the results of a test run: of the cases of each row, how many have passed. */
export function conformanceTable(report: Report, cases: Cases = conformanceCases()): string {
  const passed = new Set<string>();
  for (const { assertionResults } of report.testResults) {
    for (const { fullName, status } of assertionResults) {
      const [name] = STORES.find(([store]) => fullName.includes(`${store}: `)) ?? [];
      if (status === 'passed' && name !== undefined)
        passed.add(fullName.slice(fullName.indexOf(`${name}: `)));
    }
  }
  const lines = ROWS.map(([need, about]) => {
    const titles = cases.get(need) ?? [];
    const cells = STORES.map(([name]) => {
      const count = titles.filter((title) => passed.has(`${name}: ${title}`)).length;
      return count === 0 ? '–' : count === titles.length ? `✓ ${count}` : `${count} of ${titles.length}`;
    });
    return `| ${[about, ...cells].join(' | ')} |`;
  });
  const head = ['what the cases are about', ...STORES.map(([, column]) => column)];
  return `| ${head.join(' | ')} |\n|${'---|'.repeat(head.length)}\n${lines.join('\n')}\n`;
}

/** Returns a document with another table between its marks. @throws when it has no marks */
export function replaceTable(document: string, table: string): string {
  return replaceSection(document, BEGIN, END, table);
}
