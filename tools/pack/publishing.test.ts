import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { publishingProblems } from './publishing-problems.ts';
import { manifestOf, pack, publishedFolders, type Tarball } from './tarballs.ts';

// The platform packages have one addon each and no entry.
const folders = publishedFolders().filter((one) => !one.includes(join('native', 'npm')));
const folder = mkdtempSync(join(tmpdir(), 'esdb-gater-publishing-'));
let tarballs: ReadonlyMap<string, Tarball>;
beforeAll(() => {
  tarballs = pack(folders, folder);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(folders.map((one) => manifestOf(one).name))(
  'publint and attw find nothing in %s',
  async (name) => {
    const tarball = tarballs.get(name);
    if (tarball === undefined) throw new Error(`${name} was not packed`);
    expect(await publishingProblems(tarball)).toEqual([]);
  },
  60_000,
);

test('an entry without its file, and one without types, would be found', async () => {
  const broken = join(folder, 'broken');
  mkdirSync(broken);
  const entry = (name: string) => ({ types: `./${name}.d.ts`, default: `./${name}.js` });
  const exports = { '.': entry('index'), './missing': entry('missing'), './untyped': './index.js' };
  writeFileSync(
    join(broken, 'package.json'),
    JSON.stringify({ name: 'broken', version: '1.0.0', type: 'module', exports }),
  );
  writeFileSync(join(broken, 'index.js'), 'export const one = 1;\n');
  writeFileSync(join(broken, 'index.d.ts'), 'export declare const one = 1;\n');
  const [tarball] = pack([broken], folder).values();
  if (tarball === undefined) throw new Error('the package was not packed');
  const problems = await publishingProblems(tarball);
  expect(problems).toContain('publint: FILE_DOES_NOT_EXIST at exports../missing.default');
  expect(problems).toContain('attw: NoResolution of ./missing in bundler');
});
