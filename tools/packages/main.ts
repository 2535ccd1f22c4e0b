// `npm run packages`: measures every published package and those it is compared with, and writes what tests hold the packages
// to (budgets.json), the table of docs/packages.md and that of the client's README. Needs a build, and
// `npm ci --ignore-scripts --prefix tools/packages` once.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pack, publishedFolders } from '../pack/tarballs.ts';
import { clientSizes } from './client-sizes.ts';
import { importMs, measuredPackages, type Weight, weigh, weighCompared } from './measure.ts';
import { clientTable, type PackageRow, packageTable, replaceTable } from './tables.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const COMPARED = ['@event-driven-io/emmett', 'kafkajs', 'socket.io-client', 'centrifuge'];

const folder = mkdtempSync(join(tmpdir(), 'esdb-gater-packages-'));
try {
  const tarballs = pack(publishedFolders(), folder);
  const weights = measuredPackages().map((name): readonly [string, Weight] => [name, weigh(name, tarballs)]);
  writeFileSync(
    join(import.meta.dirname, 'budgets.json'),
    `${JSON.stringify(Object.fromEntries(weights), undefined, 2)}\n`,
  );
  const rows = weights.map(
    ([name, weight]): PackageRow => ({
      name,
      ...weight,
      packedBytes: tarballs.get(name)?.packedBytes,
      importMs: importMs(name),
    }),
  );
  for (const name of COMPARED) {
    const weight = weighCompared(name);
    if (weight === undefined)
      throw new Error(`${name} is missing: npm ci --ignore-scripts --prefix tools/packages`);
    rows.push({ name, ...weight, packedBytes: undefined, importMs: importMs(name) });
  }
  rewrite('docs/packages.md', packageTable(rows));
  rewrite('packages/client/README.md', clientTable(await clientSizes()));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function rewrite(path: string, table: string): void {
  const file = join(ROOT, path);
  writeFileSync(file, replaceTable(readFileSync(file, 'utf8'), table));
}
