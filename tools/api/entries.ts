import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One entry point of a published package, which has a report of its own. */
export interface Entry {
  /** The folder of the package. */
  readonly folder: string;
  /** The emitted declarations. */
  readonly types: string;
  /** The name of the report: the package's, with a subpath or `browser` after a dot. */
  readonly report: string;
}

type Exports = Readonly<Record<string, unknown>>;

/** Returns the entry points of all packages of the folder `packages` and of the gateway. */
export function entryPoints(root: string): Entry[] {
  const packages = readdirSync(join(root, 'packages')).sort();
  return [...packages.map((name) => join('packages', name)), join('apps', 'gateway')].flatMap((path) => {
    const folder = join(root, path);
    const { name, exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      readonly name: string;
      readonly exports: Exports;
    };
    const base = name.replace('@esdb-gater/', '');
    return Object.entries(exports).flatMap(([subpath, target]) => {
      const report = subpath === '.' ? base : `${base}.${subpath.slice(2).replaceAll('/', '-')}`;
      return typesOf(target as Exports).map(({ condition, types }) => ({
        folder,
        types: join(folder, types),
        report: condition === undefined ? report : `${report}.${condition}`,
      }));
    });
  });
}

/** The declarations of an entry, and those under a condition such as `browser`. */
function typesOf(target: Exports): { readonly condition?: string; readonly types: string }[] {
  return Object.entries(target).flatMap(([key, value]) => {
    if (key === 'types') return [{ types: String(value) }];
    const types = typeof value === 'object' && value !== null ? (value as Exports)['types'] : undefined;
    return typeof types === 'string' ? [{ condition: key, types }] : [];
  });
}
