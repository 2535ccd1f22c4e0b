import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { onOneLine } from './equivalents.ts';
import { type Mutator, OWN_MUTATORS, withoutWording } from './mutators.ts';
import type { Options } from './options.ts';
import { sampled } from './sample.ts';
import type { TriedMutant } from './score.ts';

// Stryker is installed apart from the workspace, so its types are not there when the workspace is checked.
interface MutantResult {
  readonly fileName: string;
  readonly mutatorName: string;
  readonly replacement: string;
  readonly status: string;
  readonly location: { readonly start: Place; readonly end: Place };
}

/** Lines and columns count from 1. */
interface Place {
  readonly line: number;
  readonly column: number;
}

interface StrykerCore {
  readonly Stryker: new (options: object) => { runMutationTest(): Promise<readonly MutantResult[]> };
}

const INSTALLED = join(import.meta.dirname, 'node_modules', '@stryker-mutator');

/**
 * Tries the mutants of a package with its own tests: each in turn, with the tests that run the changed code.
 *
 * @throws Error when a test fails without a mutant, or this version of Stryker is unknown
 */
export async function tryMutants(
  { name, share, seed, file, concurrency }: Options,
  root: string,
  sourceOf: (file: string) => string,
): Promise<readonly TriedMutant[]> {
  await replaceMutators((mutators) =>
    [...mutators, ...OWN_MUTATORS].map((mutator) => sampled(withoutWording(mutator), { share, seed })),
  );
  process.env['ESDB_GATER_MUTATED_PACKAGE'] = name;
  const { Stryker } = await load<StrykerCore>('core/dist/src/index.js');
  const results = await new Stryker({
    // Large, and nothing that the tests of a package need.
    ignorePatterns: ['**/dist', '**/.venv', '**/*.node', 'native/target', '.cache', '/data*'],
    mutate: [`packages/${name}/src/${file}`, '!**/*.test.ts', '!**/testing/**'],
    testRunner: 'vitest',
    plugins: [join(INSTALLED, 'vitest-runner', 'dist', 'src', 'index.js')],
    vitest: { configFile: 'tools/mutation/vitest.config.ts', related: false },
    coverageAnalysis: 'perTest',
    concurrency,
    // Comes on top of what the tests take and of how long a worker takes to start, which is seconds.
    timeoutMS: 3_000,
    tempDirName: join(root, '.cache', 'mutation', 'sandbox'),
    incremental: share >= 1,
    incrementalFile: join(root, '.cache', 'mutation', `${name}.json`),
    reporters: process.stdout.isTTY ? ['progress'] : ['progress-append-only'],
    allowConsoleColors: process.stdout.isTTY,
    disableTypeChecks: false,
    // TypeScript 7 lacks the functions by which Stryker rewrites a tsconfig, and nothing here needs that.
    tsconfigFile: 'none.json',
    checkers: [],
    packageManager: 'npm',
  }).runMutationTest();
  return results.map(({ fileName, mutatorName, replacement, status, location }) => {
    const path = fileName.slice(fileName.indexOf('packages/'));
    const source = sourceOf(path);
    return {
      file: path,
      mutator: mutatorName,
      code: source.split('\n')[location.start.line - 1]?.trim() ?? '',
      original: onOneLine(textBetween(source, location.start, location.end)),
      replacement: onOneLine(replacement),
      status,
      line: location.start.line,
    };
  });
}

async function load<Module>(path: string): Promise<Module> {
  return (await import(pathToFileURL(join(INSTALLED, path)).href)) as Module;
}

/** Changes the list of mutators that the instrumenter uses. Stryker has no other way to add one. */
async function replaceMutators(change: (mutators: readonly Mutator[]) => readonly Mutator[]): Promise<void> {
  const { allMutators } = await load<{ readonly allMutators?: Mutator[] }>(
    'instrumenter/dist/src/mutators/mutate.js',
  );
  if (!Array.isArray(allMutators)) throw new Error('this version of Stryker has no list of mutators');
  allMutators.splice(0, allMutators.length, ...change([...allMutators]));
}

function textBetween(source: string, start: Place, end: Place): string {
  const lines = source.split('\n').slice(start.line - 1, end.line);
  const last = lines.length - 1;
  return lines
    .map((line, n) => line.slice(n === 0 ? start.column - 1 : 0, n === last ? end.column - 1 : undefined))
    .join('\n');
}
