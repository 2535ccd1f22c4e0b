import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { manifestOf, publishedFolders, type Tarball } from '../pack/tarballs.ts';
import { bytesBelow, type Installation, nameAt, readInstallation, treeOf } from './tree.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const LOAD = join(import.meta.dirname, 'load.ts');

/** What a program gets with a package. */
export interface Weight {
  /** The names of the packages that are installed with it. */
  readonly dependencies: readonly string[];
  /** The bytes of the package and all its dependencies. */
  readonly installedBytes: number;
  /** The modules that importing it loads. */
  readonly modules: number;
  /** The bytes of these modules. */
  readonly moduleBytes: number;
}

/** The published packages that a program imports, without the native addon. */
export function measuredPackages(): readonly string[] {
  return publishedFolders()
    .filter((folder) => !folder.startsWith(join(ROOT, 'native')))
    .map(manifestOf)
    .filter((manifest) => manifest.exports !== undefined)
    .map(({ name }) => name)
    .sort();
}

/** Measures a package of this repository, which must be built and packed. */
export function weigh(name: string, tarballs: ReadonlyMap<string, Tarball>): Weight {
  const installation = readInstallation(ROOT);
  return weightOf(installation, name, (place) => {
    const own = nameAt(installation, place);
    return tarballs.get(own)?.installedBytes ?? bytesBelow(join(ROOT, place));
  });
}

/** Measures a package of others; undefined when `npm ci --prefix tools/packages` was not run. */
export function weighCompared(name: string): Weight | undefined {
  if (!existsSync(join(import.meta.dirname, 'node_modules', name))) return undefined;
  const installation = readInstallation(import.meta.dirname);
  return weightOf(installation, name, (place) => bytesBelow(join(installation.folder, place)));
}

function weightOf(installation: Installation, name: string, bytesOf: (place: string) => number): Weight {
  const [own = '', ...others] = treeOf(installation, name);
  const { modules, bytes } = load<{ readonly modules: number; readonly bytes: number }>(name);
  return {
    dependencies: [...new Set(others.map((place) => nameAt(installation, place)))].sort(),
    installedBytes: [own, ...others].reduce((sum, place) => sum + bytesOf(place), 0),
    modules,
    moduleBytes: bytes,
  };
}

/** Returns the median time of importing a package in a new process, in milliseconds. */
export function importMs(name: string, runs = 7): number {
  const times = Array.from({ length: runs }, () => load<{ readonly ms: number }>(name, '--time').ms);
  return times.sort((a, b) => a - b)[Math.floor(runs / 2)] ?? 0;
}

function load<Result>(name: string, ...options: readonly string[]): Result {
  const { NODE_COMPILE_CACHE: _, NODE_OPTIONS: __, ...env } = process.env;
  const output = execFileSync(process.execPath, [LOAD, name, ...options], { encoding: 'utf8', env });
  return JSON.parse(output) as Result;
}
