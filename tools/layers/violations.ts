import type { FileImports } from './imports.ts';
import type { LayerRule } from './table.ts';

export interface Violation {
  readonly file: string;
  readonly message: string;
}

const SCOPE = '@esdb-gater/';
/** The entry of a package for tests. */
const TESTING = 'testing';
/** What the tests of every package may import. */
const FOR_TESTS = ['property-testing'];

/** Returns the imports in `files` of package `name` that the table forbids. */
export function violationsOf(
  name: string,
  files: readonly FileImports[],
  layers: Readonly<Record<string, LayerRule>>,
): Violation[] {
  const rule = layers[name];
  if (rule === undefined)
    return [{ file: name, message: `the package "${name}" has no row in the layer table` }];
  return files.flatMap(({ file, isTest, specifiers }) =>
    specifiers.flatMap((specifier) => {
      const message = forbidden(name, rule, specifier, { file, isTest }, layers);
      return message === undefined ? [] : [{ file, message }];
    }),
  );
}

function forbidden(
  name: string,
  rule: LayerRule,
  specifier: string,
  { file, isTest }: Pick<FileImports, 'file' | 'isTest'>,
  layers: Readonly<Record<string, LayerRule>>,
): string | undefined {
  if (specifier.startsWith(SCOPE)) {
    const [target = '', entry] = specifier.slice(SCOPE.length).split('/');
    if (entry === TESTING && !isTest && !isForTests(file)) return `only tests may import "${specifier}"`;
    const allowed = [name, ...rule.imports, ...(isTest ? [...FOR_TESTS, ...(rule.development ?? [])] : [])];
    return allowed.includes(target) ? undefined : `"${name}" may not import "${specifier}"`;
  }
  if (isTest) return undefined;
  for (const [owner, { owns }] of Object.entries(layers)) {
    const product = owns?.find((owned) => specifier === owned || specifier.startsWith(`${owned}/`));
    if (product !== undefined && owner !== name) return `only "${owner}" may import "${product}"`;
  }
  return undefined;
}

/** Returns true for a file of the entry for tests, which may import other such entries. */
function isForTests(file: string): boolean {
  return /[\\/]src[\\/]testing[\\/]/.test(file);
}
