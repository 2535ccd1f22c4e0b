import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const root = join(import.meta.dirname, '..', '..', '..', '..');

/** The conditions of a browser for `exports` and `imports`; the order of the package decides. */
const CONDITIONS: ReadonlySet<string> = new Set(['browser', 'import', 'module', 'default']);

/** `import x from 'y'`, `export * from 'y'`, `import 'y'`, as compilers write them at the beginning of a line, and `import('y')`. */
const SPECIFIERS = /(?:^(?:import\s*|(?:import|export)\b[^'";=()]*?\bfrom\s*)|\bimport\()['"]([^'"]+)['"]/gm;

/** Built modules and all they import, as a page without a bundler loads them. */
export interface BrowserModules {
  /** For `<script type="importmap">`. */
  readonly importMap: string;
  /** Returns the text of the module at the path of a URL; undefined for a path that no module imports. */
  source(path: string): string | undefined;
}

/**
 * Follows the imports of packages by the conditions of browsers.
 *
 * @throws Error with the name that cannot be resolved: then the package does not work in browsers
 */
export function browserModules(entries: readonly string[]): BrowserModules {
  const imports: Record<string, string> = {};
  const scopes: Record<string, Record<string, string>> = {};
  const sources = new Map<string, string>();

  function visit(file: string): string {
    const path = `/${relative(root, file)}`;
    if (sources.has(path)) return path;
    const source = readFileSync(file, 'utf8');
    sources.set(path, source);
    for (const [, specifier = ''] of source.matchAll(SPECIFIERS)) {
      if (specifier.startsWith('.')) visit(join(dirname(file), specifier));
      else if (specifier.startsWith('#')) {
        const folder = packageOf(file);
        const scope = `/${relative(root, folder)}/`;
        scopes[scope] = { ...scopes[scope], [specifier]: visit(own(folder, specifier)) };
      } else imports[specifier] ??= visit(foreign(specifier, file));
    }
    return path;
  }

  for (const entry of entries) imports[entry] = visit(foreign(entry, join(root, 'package.json')));
  return {
    importMap: JSON.stringify({ imports, scopes }),
    source: (path) => sources.get(path),
  };
}

interface Manifest {
  readonly exports?: unknown;
  readonly imports?: Readonly<Record<string, unknown>>;
}

function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
}

function packageOf(file: string): string {
  let folder = dirname(file);
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

function own(folder: string, specifier: string): string {
  return join(folder, chosen(manifestOf(folder).imports?.[specifier], `${specifier} of ${folder}`));
}

/** `name` or `name/sub/path`, as the package of `importer` sees it. */
function foreign(specifier: string, importer: string): string {
  const [, name = '', sub = ''] = /^((?:@[^/]+\/)?[^/]+)(.*)$/.exec(specifier) ?? [];
  for (let folder = dirname(importer); ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (existsSync(candidate)) {
      const { exports: exported } = manifestOf(candidate);
      const bySubpath = exported as Readonly<Record<string, unknown>>;
      const entry = Object.keys(bySubpath).some((key) => key.startsWith('.'))
        ? bySubpath[`.${sub}`]
        : exported;
      return join(realpathSync(candidate), chosen(entry, specifier));
    }
    if (folder === root) throw new Error(`${specifier}, imported by ${importer}, is not installed`);
  }
}

function chosen(target: unknown, what: string): string {
  if (typeof target === 'string') return target;
  for (const [condition, next] of Object.entries((target ?? {}) as object)) {
    if (CONDITIONS.has(condition)) return chosen(next, what);
  }
  throw new Error(`${what} has nothing for browsers`);
}
