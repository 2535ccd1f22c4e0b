import { replaceSection } from '../docs/marked-section.ts';
import type { ClientSize } from './client-sizes.ts';
import type { Weight } from './measure.ts';

/** A row of the table of packages. */
export interface PackageRow extends Weight {
  readonly name: string;
  /** The bytes of the archive; undefined for packages of others. */
  readonly packedBytes: number | undefined;
  readonly importMs: number;
}

const BEGIN = '<!-- packages: begin, written by `npm run packages` -->';
const END = '<!-- packages: end -->';

/** Replaces what is between the two marks of a document. @throws Error when it does not have them */
export function replaceTable(document: string, table: string): string {
  return replaceSection(document, BEGIN, END, table);
}

export function packageTable(rows: readonly PackageRow[]): string {
  return table(
    [
      'package',
      'packed, kB',
      'installed with dependencies, MB',
      'dependencies',
      'modules loaded',
      'import, ms',
    ],
    rows.map(({ name, packedBytes, installedBytes, dependencies, modules, importMs }) => [
      `\`${name}\``,
      packedBytes === undefined ? '' : kilobytes(packedBytes),
      (installedBytes / 1e6).toFixed(2),
      String(dependencies.length),
      String(modules),
      importMs.toFixed(0),
    ]),
  );
}

export function clientTable(sizes: readonly ClientSize[]): string {
  return table(
    ['client', 'minified, kB', 'gzip, kB', 'Brotli, kB'],
    sizes.map(({ name, bytes, gzipBytes, brotliBytes }) => [
      `\`${name}\``,
      kilobytes(bytes),
      kilobytes(gzipBytes),
      kilobytes(brotliBytes),
    ]),
  );
}

function kilobytes(bytes: number): string {
  return (bytes / 1_000).toFixed(1);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
  return [head, head.map((_, index) => (index === 0 ? '---' : '---:')), ...rows].map(line).join('');
}
