// `node tools/release/same-version.ts [VERSION]`: fails unless all packages have the same version (the given one, if
// any), and depend on each other by exactly that version.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { placeProblems } from './version-places.ts';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

const SCOPE = '@esdb-gater/';

/** Returns a sentence for each difference from `version`, by default the version of the first package. */
export function versionProblems(manifests: readonly Manifest[], version = manifests[0]?.version): string[] {
  return manifests.flatMap(({ name, version: own, dependencies = {} }) => [
    ...(own === version ? [] : [`${name} has version ${own}, expected ${version}`]),
    ...Object.entries(dependencies)
      .filter(([dependency, wanted]) => dependency.startsWith(SCOPE) && wanted !== version)
      .map(([dependency, wanted]) => `${name} depends on ${dependency} ${wanted}, expected ${version}`),
  ]);
}

/** Reads the manifests of the published packages, the dashboard and the image. */
export function readManifests(root: string): Manifest[] {
  const places = [
    ...['packages/*/package.json', 'apps/*/package.json', 'native/package.json'],
    'apps/gateway/ops/docker/package.json',
  ];
  return globSync(places, { cwd: root }).map(
    (file) => JSON.parse(readFileSync(join(root, file), 'utf8')) as Manifest,
  );
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const root = join(import.meta.dirname, '..', '..');
  const manifests = readManifests(root);
  const version = process.argv[2] ?? manifests[0]?.version ?? '';
  const problems = [...versionProblems(manifests, version), ...placeProblems(root, version)];
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
