// `npm test`: builds the packages that the tests need, runs the tests, and prints `N passed, N failed` last. Arguments
// go to Vitest: `npm test -- packages/retry` builds and tests that package only.
import { spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from '../build.ts';
import { packagesOf } from './packages.ts';
import { type Report, summaryOf } from './summary.ts';

const folder = mkdtempSync(join(tmpdir(), 'esdb-gater-test-'));
const reportFile = join(folder, 'report.json');

process.exitCode = await main();
rmSync(folder, { recursive: true, force: true });

async function main(): Promise<number> {
  const built = await build(packagesOf(process.argv.slice(2), process.cwd()));
  if (built !== 0) {
    process.stdout.write('the build failed\n0 passed, 1 failed\n');
    return built;
  }
  const code = await run('vitest', [
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${reportFile}`,
    ...process.argv.slice(2),
  ]);
  const kept = process.env['ESDB_GATER_TEST_REPORT'];
  if (kept !== undefined && readReport() !== undefined) copyFileSync(reportFile, kept);
  const summary = summaryOf(readReport(), code, process.env['CI'] === 'true');
  for (const line of summary.lines) process.stdout.write(`${line}\n`);
  return summary.exitCode;
}

function readReport(): Report | undefined {
  try {
    return JSON.parse(readFileSync(reportFile, 'utf8')) as Report;
  } catch {
    return undefined;
  }
}

function run(command: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: 'inherit',
      env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1' },
    });
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
