import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

// Workers, threads of stores and child processes load the same hundreds of modules again and again: with Node's cache of
// compiled code they start in a third of the time.
process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, 'node_modules', '.cache', 'node-compile');

const conditions = ['@esdb-gater/source'];

/** The folders and files that take half a minute and more. */
const LONG =
  /\/apps\/gateway\/tests\/(browser|cluster|descriptions|kafka|process|threats)\/|\/packages\/(app|broker-kafka|store-postgres)\/tests\/|\/tools\/docs\/|\/sqlite-store\.test\.ts$/;

/** Starts the long files first, so that none of them is left alone at the end. */
class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification): boolean => LONG.test(moduleId);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: [
      'packages/*/{src,tests}/**/*.test.ts',
      'apps/*/{src,tests}/**/*.test.ts',
      'tools/**/*.test.ts',
      'examples/**/*.test.ts',
      'native/**/*.test.ts',
    ],
    exclude: ['**/node_modules/**', '**/dist/**', 'tools/bench/peers/**'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    sequence: { sequencer: LongFirst },
  },
});
