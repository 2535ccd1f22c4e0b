import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

interface LockEntry {
  readonly link?: boolean;
  readonly resolved?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

type Lock = Readonly<Record<string, LockEntry>>;

/** A folder with a package-lock.json whose packages are installed. */
export interface Installation {
  readonly folder: string;
  readonly packages: Lock;
}

export function readInstallation(folder: string): Installation {
  const { packages } = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')) as {
    readonly packages: Lock;
  };
  return { folder, packages };
}

/**
 * Returns the places of all packages that come with a package, the package itself first: paths in the installation, such as
 * `node_modules/ws`. Optional dependencies and optional peers are left out.
 */
export function treeOf({ packages }: Installation, name: string): readonly string[] {
  const found = new Set<string>();
  const visit = (place: string): void => {
    if (found.has(place)) return;
    found.add(place);
    for (const dependency of Object.keys(packages[place]?.dependencies ?? {}))
      visit(resolve(place, dependency));
  };
  /** Looks for a package where Node.js does: in the folder of the importer, then in those above it. */
  const resolve = (importer: string, dependency: string): string => {
    for (let folder = importer; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/')))) {
      const entry = packages[join(folder, 'node_modules', dependency)];
      if (entry !== undefined)
        return entry.link === true ? (entry.resolved ?? '') : join(folder, 'node_modules', dependency);
      if (folder === '')
        throw new Error(`${dependency}, a dependency of ${importer}, is not in package-lock.json`);
    }
  };
  visit(resolve('', name));
  return [...found];
}

/** Returns the name of the package at a place. */
export function nameAt({ folder }: Installation, place: string): string {
  const { name } = JSON.parse(readFileSync(join(folder, place, 'package.json'), 'utf8')) as {
    readonly name: string;
  };
  return name;
}

/** Returns the bytes of all files of a folder, without packages that are installed inside it. */
export function bytesBelow(folder: string): number {
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    if (entry.name === 'node_modules') return sum;
    const path = join(folder, entry.name);
    return sum + (entry.isDirectory() ? bytesBelow(path) : statSync(path).size);
  }, 0);
}
