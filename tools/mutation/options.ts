import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

export const USAGE = `Usage: npm run mutation -- PACKAGE [options]

Changes the sources of a package in many small ways, one at a time, and runs its tests: a change that no test
notices survives. Prints the survivors and the score.

  PACKAGE          a folder of packages, such as retry
  --share SHARE    the part of the mutants that is tried, above 0 and up to 1 (default 1)
  --seed SEED      chooses the mutants of an earlier run again (default: a new seed, which is printed)
  --file GLOB      only files of the package's src folder that match, such as 'topics/*.ts'
  --concurrency N  how many mutants are tried at the same time (default 2)
  --table          writes the score into the table of CONTRIBUTING.md
  --help           prints this

Needs \`npm ci --prefix tools/mutation\` once.
`;

export interface Options {
  readonly name: string;
  readonly share: number;
  readonly seed: string;
  readonly file: string;
  /** How many mutants are tried at the same time. */
  readonly concurrency: number;
  readonly table: boolean;
}

/** Reads the command line. Returns undefined for `--help`. @throws Error for wrong usage */
export function readOptions(
  args: readonly string[],
  root: string,
  newSeed: () => string,
): Options | undefined {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      share: { type: 'string', default: '1' },
      seed: { type: 'string' },
      file: { type: 'string', default: '**/*.ts' },
      concurrency: { type: 'string', default: '2' },
      table: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const [name, ...rest] = positionals;
  if (name === undefined || rest.length > 0) throw new Error('PACKAGE must be given once');
  if (!existsSync(join(root, 'packages', name, 'src'))) {
    throw new Error(`PACKAGE must be a folder of packages, got ${name}`);
  }
  const share = Number(values.share);
  if (!(share > 0 && share <= 1)) {
    throw new Error(`--share must be above 0 and at most 1, got ${values.share}`);
  }
  const concurrency = Number(values.concurrency);
  if (!Number.isSafeInteger(concurrency) || concurrency < 1) {
    throw new Error(`--concurrency must be a whole number of at least 1, got ${values.concurrency}`);
  }
  const { seed = newSeed(), file, table } = values;
  return { name, share, seed, file, concurrency, table };
}
