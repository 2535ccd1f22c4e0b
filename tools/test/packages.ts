import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Folders with tests that need every package, because they use the built gateway or packed packages. */
const NEED_ALL = ['apps', 'tools', 'examples'];

/**
 * Returns the npm names of the packages that contain the paths among Vitest's arguments, or an empty list when all
 * packages have to be built: without a path, or with a path outside of `packages/` and `native/`.
 */
export function packagesOf(args: readonly string[], root: string): readonly string[] {
  const paths = args.filter((arg) => !arg.startsWith('-'));
  const names = new Set<string>();
  for (const path of paths) {
    const [first = '', second = ''] = path.replace(/^\.\//, '').split('/');
    if (NEED_ALL.includes(first)) return [];
    const folder = first === 'native' ? 'native' : join('packages', first === 'packages' ? second : first);
    const manifest = join(root, folder, 'package.json');
    if (!existsSync(manifest)) return [];
    names.add((JSON.parse(readFileSync(manifest, 'utf8')) as { readonly name: string }).name);
  }
  return [...names];
}
