import { dirname, join, relative, sep } from 'node:path';
import type { FileImports } from './imports.ts';
import type { Violation } from './violations.ts';

/**
 * Finds import cycles of two folders below `source`: neither of two such folders can be read or moved without the
 * other. Files directly in `source` compose the folders, and are not part of any.
 */
export function mutualImports(source: string, files: readonly FileImports[]): Violation[] {
  const folderOf = (file: string): string | undefined => {
    const [folder, ...rest] = relative(source, file).split(sep);
    return rest.length === 0 || folder === '..' ? undefined : folder;
  };
  /** By the two folders, from and to: a file that imports so. */
  const arrows = new Map<string, string>();
  for (const { file, isTest, specifiers } of files) {
    const from = folderOf(file);
    if (isTest || from === undefined) continue;
    for (const specifier of specifiers) {
      const to = specifier.startsWith('.') ? folderOf(join(dirname(file), specifier)) : undefined;
      if (to !== undefined && to !== from) arrows.set(`${from} ${to}`, file);
    }
  }
  return [...arrows].flatMap(([arrow, file]) => {
    const [from = '', to = ''] = arrow.split(' ');
    const back = arrows.get(`${to} ${from}`);
    if (back === undefined) return [];
    return [{ file, message: `imports ${to}/, which imports ${from}/ in ${relative(source, back)}` }];
  });
}
