import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

// Workers, threads of stores and child processes load the same hundreds of modules again and again: with Node's cache of
// compiled code they start in a third of the time.
process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, 'node_modules', '.cache', 'node-compile');

const conditions = ['@esdb-gater/source'];

/**
 * Files that get a process each: they start other programs, measure memory, count calls under load, leave state behind in
 * the modules, such as the time of the newest id, or take long. They come first, so that no long file is left at the end.
 */
const APART = [
  'apps/gateway/tests/{browser,cluster,descriptions,kafka,ops,process}/**/*.test.ts',
  'apps/gateway/tests/{limits,threats/t30-memory}.test.ts',
  'packages/{broker-kafka,store-postgres,store-sqlite}/tests/**/*.test.ts',
  'packages/channels/tests/kept-bytes.test.ts',
  'packages/event-store/src/memory-store.test.ts',
  'packages/security/src/engine/select.test.ts',
  'packages/store-sqlite/src/sqlite-store.test.ts',
  'tools/**/*.test.ts',
  'examples/**/*.test.ts',
  'native/**/*.test.ts',
];

/**
 * All others: the files that a worker runs share its modules, so that hundreds of them are not loaded again for each. A
 * test leaves no global state behind.
 */
const SHARED = ['packages/*/{src,tests}/**/*.test.ts', 'apps/*/{src,tests}/**/*.test.ts'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    exclude: ['**/node_modules/**', '**/dist/**', 'tools/bench/peers/**'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    projects: [
      { extends: true, test: { name: 'apart', include: APART } },
      { extends: true, test: { name: 'shared', include: SHARED, exclude: APART, isolate: false } },
    ],
  },
});
