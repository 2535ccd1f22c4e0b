import { execFileSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readManifests, versionProblems } from './same-version.ts';
import { placeProblems, writeVersion } from './version-places.ts';

const root = join(import.meta.dirname, '..', '..');
const NEXT = '7.8.9-beta.1';
const CHANGESETS = join(root, 'node_modules', '@changesets', 'cli', 'bin.js');

/** What a release reads and writes. */
const FILES = [
  ...['package.json', 'package-lock.json', 'CHANGELOG.md', '.changeset/config.json'],
  ...['packages/*/package.json', 'apps/*/package.json', 'tools/property-testing/package.json'],
  'apps/gateway/ops/docker/package.json',
  ...['native/package.json', 'native/npm/*/package.json', 'native/Cargo.toml', 'native/Cargo.lock'],
  'apps/gateway/ops/kubernetes/*.yaml',
];

let copy: string;
beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'esdb-gater-release-'));
  for (const file of globSync(FILES, { cwd: root })) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(root, file), join(copy, file));
  }
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

test('every place names the version of the packages', () => {
  const [{ version } = { version: '' }] = readManifests(root);
  expect(placeProblems(root, version)).toEqual([]);
  expect(placeProblems(root, '9.9.9').length).toBe(2 + 8 + 2 + 2);
});

test('a change of one package gives all packages and every place the next version', () => {
  const [{ version: before } = { version: '' }] = readManifests(copy);
  const [major = 0, minor = 0] = before.split('.').map(Number);
  writeFileSync(
    join(copy, '.changeset', 'one.md'),
    "---\n'@esdb-gater/retry': minor\n---\n\nSomething that users notice.\n",
  );
  execFileSync('git', ['init', '-q'], { cwd: copy });
  execFileSync(process.execPath, [CHANGESETS, 'version'], { cwd: copy, stdio: 'pipe' });
  const manifests = readManifests(copy);
  const next = `${major}.${minor + 1}.0`;
  expect(versionProblems(manifests, next)).toEqual([]);

  writeVersion(copy, next, '2026-01-31');
  expect(placeProblems(copy, next)).toEqual([]);
  const changes = readFileSync(join(copy, 'CHANGELOG.md'), 'utf8');
  expect(changes).toContain(`## Unreleased\n\n## ${next} (2026-01-31)\n`);
}, 60_000);

test('a place that is not found stops the release', () => {
  writeFileSync(join(copy, 'native', 'Cargo.toml'), '[package]\n');
  expect(() => writeVersion(copy, NEXT, '2026-01-31')).toThrow(/Cargo\.toml must contain/);
});
