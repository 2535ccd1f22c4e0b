import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A place outside of the packages' manifests that names the version. */
interface Place {
  readonly files: string;
  /** Matches what stands before the version, and the version. */
  readonly pattern: RegExp;
}

/** What follows is a version: three numbers, and perhaps a name before a release. */
const VERSION = '(\\d+\\.\\d+\\.\\d+(?:-[\\w.]+)?)';

const PLACES: readonly Place[] = [
  { files: 'package.json', pattern: new RegExp(`^( {2}"version": ")${VERSION}`, 'm') },
  { files: 'package.json', pattern: new RegExp(`("@esdb-gater/property-testing": ")${VERSION}`) },
  { files: 'native/npm/*/package.json', pattern: new RegExp(`^( {2}"version": ")${VERSION}`, 'm') },
  { files: 'native/Cargo.toml', pattern: new RegExp(`^(version = ")${VERSION}`, 'm') },
  { files: 'native/Cargo.lock', pattern: new RegExp(`(name = "esdb-gater-native"\\nversion = ")${VERSION}`) },
  {
    files: 'apps/gateway/ops/kubernetes/{single,cluster}.yaml',
    pattern: new RegExp(`(image: ghcr\\.io/esdb-gater/esdb-gater:)${VERSION}`),
  },
];

/** Returns a sentence for each place that names another version than `version`, or none. */
export function placeProblems(root: string, version: string): string[] {
  return places(root).flatMap(({ file, pattern }) => {
    const found = pattern.exec(readFileSync(join(root, file), 'utf8'))?.[2];
    return found === version ? [] : [`${file} has version ${found ?? 'none'}, expected ${version}`];
  });
}

/**
 * Writes `version` to every place, and makes the changes in CHANGELOG.md that were not released those of this version.
 *
 * @param date the day of the release, such as `2026-01-31`
 * @throws an error of one line when a place is not found
 */
export function writeVersion(root: string, version: string, date: string): void {
  for (const { file, pattern } of places(root)) {
    replaceIn(join(root, file), pattern, `$1${version}`);
  }
  replaceIn(join(root, 'CHANGELOG.md'), /^## Unreleased$/m, `## Unreleased\n\n## ${version} (${date})`);
}

function places(root: string): { readonly file: string; readonly pattern: RegExp }[] {
  return PLACES.flatMap(({ files, pattern }) => {
    const found = globSync(files, { cwd: root });
    if (found.length === 0) throw new Error(`${files} must exist in ${root}`);
    return found.map((file) => ({ file, pattern }));
  });
}

function replaceIn(file: string, pattern: RegExp, replacement: string): void {
  const text = readFileSync(file, 'utf8');
  if (!pattern.test(text)) throw new Error(`${file} must contain ${pattern}`);
  writeFileSync(file, text.replace(pattern, replacement));
}
