import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readManifests, versionProblems } from './same-version.ts';

test('all packages of the repository have one version and name each other by it', () => {
  const manifests = readManifests(join(import.meta.dirname, '..', '..'));
  expect(manifests.length).toBeGreaterThan(10);
  expect(versionProblems(manifests)).toEqual([]);
});

test('a package of another version, and one that depends on another, are named', () => {
  const manifests = [
    { name: '@esdb-gater/a', version: '1.0.0' },
    { name: '@esdb-gater/b', version: '1.0.1', dependencies: { '@esdb-gater/a': '^1.0.0', ws: '^8.0.0' } },
  ];
  expect(versionProblems(manifests, '1.0.0')).toEqual([
    '@esdb-gater/b has version 1.0.1, expected 1.0.0',
    '@esdb-gater/b depends on @esdb-gater/a ^1.0.0, expected 1.0.0',
  ]);
});
