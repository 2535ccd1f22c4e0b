// Compares every import with the layer table and fails when an arrow points upwards, or when two folders of a package
// import each other: `npm run layers`.
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { mutualImports } from './folders.ts';
import { importsBelow } from './imports.ts';
import { LAYERS } from './table.ts';
import { violationsOf } from './violations.ts';

const root = join(import.meta.dirname, '..', '..');

const folders = Object.keys(LAYERS)
  .map((name) => ({ name, folder: folderOf(name) }))
  .filter(({ folder }) => existsSync(folder));

const violations = folders.flatMap(({ name, folder }) => {
  const files = importsBelow(folder);
  return [...violationsOf(name, files, LAYERS), ...mutualImports(join(folder, 'src'), files)];
});
for (const { file, message } of violations) process.stderr.write(`${relative(root, file)}: ${message}\n`);
if (violations.length > 0) process.exit(1);
process.stdout.write(`layers: ${folders.length} packages, every import points downwards\n`);

function folderOf(name: string): string {
  if (name === 'gateway' || name === 'dashboard') return join(root, 'apps', name);
  if (name === 'native') return join(root, 'native');
  return join(root, 'packages', name);
}
