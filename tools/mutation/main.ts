// `npm run mutation -- PACKAGE`: mutation testing of a package, with Stryker and two mutators of our own.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readEquivalents } from './equivalents.ts';
import { type Options, readOptions, USAGE } from './options.ts';
import { type Score, scoreOf } from './score.ts';
import { tryMutants } from './stryker.ts';
import { withRow } from './table.ts';

const root = join(import.meta.dirname, '..', '..');

try {
  const options = readOptions(process.argv.slice(2), root, () => String(Math.trunc(Math.random() * 1e9)));
  if (options === undefined) process.stdout.write(USAGE);
  else await run(options);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}

async function run(options: Options): Promise<void> {
  if (!existsSync(join(import.meta.dirname, 'node_modules'))) {
    throw new Error('Stryker is not installed: run npm ci --prefix tools/mutation');
  }
  const { name, share, seed } = options;
  if (share < 1) process.stdout.write(`${Math.round(share * 100)} % of the mutants, --seed ${seed}\n`);
  const mutants = await tryMutants(options, root, (file) => readFileSync(join(root, file), 'utf8'));
  const score = scoreOf(mutants, readEquivalents());
  print(score);
  if (!options.table) return;
  const file = join(root, 'CONTRIBUTING.md');
  const date = new Date().toISOString().slice(0, 10);
  writeFileSync(file, withRow(readFileSync(file, 'utf8'), { name, date, share, score }));
}

function print({ tried, killed, equivalent, survivors, percent }: Score): void {
  for (const { file, line, mutator, original, replacement, status } of survivors) {
    const untested = status === 'NoCoverage' ? ' (no test runs it)' : '';
    process.stdout.write(`${file}:${line} ${mutator}${untested}\n  - ${original}\n  + ${replacement}\n`);
  }
  process.stdout.write(
    `${tried} tried, ${killed} found, ${equivalent} equivalent, ${survivors.length} survived: ${percent.toFixed(1)} %\n`,
  );
}
