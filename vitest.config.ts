import { defineConfig } from 'vitest/config';

const conditions = ['@esdb-gater/source'];

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
  },
});
