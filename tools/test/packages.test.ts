import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packagesOf } from './packages.ts';

const root = join(import.meta.dirname, '..', '..');

test('a path in a package names that package', () => {
  expect(packagesOf(['packages/retry'], root)).toEqual(['@esdb-gater/retry']);
  expect(packagesOf(['./packages/retry/src/delay.test.ts', 'packages/types'], root)).toEqual([
    '@esdb-gater/retry',
    '@esdb-gater/types',
  ]);
  expect(packagesOf(['native/tests/leak.test.ts'], root)).toEqual(['@esdb-gater/native']);
});

test('a package is found by its name without the folder', () => {
  expect(packagesOf(['retry'], root)).toEqual(['@esdb-gater/retry']);
});

test('all packages are built for tests that need the gateway, and for unknown paths', () => {
  expect(packagesOf([], root)).toEqual([]);
  expect(packagesOf(['--reporter=verbose'], root)).toEqual([]);
  expect(packagesOf(['apps/gateway/tests/http.test.ts'], root)).toEqual([]);
  expect(packagesOf(['packages/retry', 'tools/pack'], root)).toEqual([]);
  expect(packagesOf(['http.test.ts'], root)).toEqual([]);
});
