import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface FileImports {
  readonly file: string;
  readonly isTest: boolean;
  readonly specifiers: readonly string[];
}

const IMPORT =
  /(?:^|[\s;])(?:import|export)\s[^'"();]*?from\s*['"]([^'"]+)['"]|(?:^|[\s;])import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm;

/** The module specifiers that a source text imports, in order. Comments are left out. */
export function specifiersOf(source: string): string[] {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  return [...code.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}

/** The imports of every source file under `folder`. */
export function importsBelow(folder: string): FileImports[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return (
    entries
      .filter(
        (entry) =>
          entry.isFile() && /\.(ts|tsx|js|mjs|cjs)$/.test(entry.name) && !entry.name.endsWith('.d.ts'),
      )
      .map((entry) => join(entry.parentPath, entry.name))
      // Templates are files of other projects.
      .filter((file) => !/[\\/](node_modules|dist|target|templates)[\\/]/.test(file))
      .map((file) => ({
        file,
        isTest: /\.test\.ts$|[\\/]tests?[\\/]/.test(file),
        specifiers: specifiersOf(readFileSync(file, 'utf8')),
      }))
  );
}
