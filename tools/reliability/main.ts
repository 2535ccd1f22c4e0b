// `npm run docs:reliability`: runs all tests and writes RELIABILITY.md, and the table of the stores in the README of conformance,
// from their titles and results. With the file of an earlier report as the argument (`ESDB_GATER_TEST_REPORT=FILE npm test`
// keeps one) the tests are not run again.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Report } from '../test/summary.ts';
import { conformanceTable, replaceTable } from './conformance.ts';
import { proofsOf, renderTable } from './table.ts';

const root = join(import.meta.dirname, '..', '..');
const report = JSON.parse(readFileSync(process.argv[2] ?? runTests(), 'utf8')) as Report;
writeFileSync(join(root, 'RELIABILITY.md'), renderTable(proofsOf(report, root)));
const document = join(root, 'packages', 'conformance', 'README.md');
writeFileSync(document, replaceTable(readFileSync(document, 'utf8'), conformanceTable(report)));

function runTests(): string {
  const file = join(mkdtempSync(join(tmpdir(), 'esdb-gater-reliability-')), 'report.json');
  const env = { ...process.env, ESDB_GATER_TEST_REPORT: file };
  spawnSync('npm', ['test'], { cwd: root, stdio: 'inherit', env });
  return file;
}
