// Checks the statements of the documents about the repository: links, packages, folders, allowed imports.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LAYERS } from '../layers/table.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const read = (document: string): string => readFileSync(join(ROOT, document), 'utf8');
const folders = (path: string): string[] =>
  readdirSync(join(ROOT, path), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();

const DOCUMENTS = [
  ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
  ...folders('packages').map((name) => `packages/${name}/README.md`),
  ...readdirSync(join(ROOT, 'docs/guides')).map((name) => `docs/guides/${name}`),
  'apps/gateway/README.md',
  'apps/dashboard/README.md',
  'examples/README.md',
  'native/README.md',
];

describe('links', () => {
  test.each(DOCUMENTS)('of %s lead to something', (document) => {
    for (const [, link = ''] of read(document).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (link.startsWith('https://')) continue;
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? document : join(dirname(document), path);
      expect(existsSync(join(ROOT, target)), link).toBe(true);
      if (anchor === undefined) continue;
      const page = target.endsWith('.md') ? target : join(target, 'README.md');
      expect(anchorsOf(read(page)), link).toContain(anchor);
    }
  });
});

test.each(DOCUMENTS)('%s has no marks of a merge', (document) => {
  expect(read(document)).not.toMatch(/^(?:<{7} |={7}$|>{7} )/m);
});

/** The anchors that GitHub gives the headings of a document. */
function anchorsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** `primitives` is internal, and its README says only that. */
const FOR_USERS = folders('packages')
  .filter((name) => name !== 'primitives')
  .map((name) => `packages/${name}`);

test.each([...FOR_USERS, 'apps/gateway', 'native'])(
  'the README of %s has the sections that users need',
  (folder) => {
    const text = read(`${folder}/README.md`);
    const { name } = JSON.parse(read(`${folder}/package.json`)) as { readonly name: string };
    expect(text).toMatch(new RegExp(`^npm install .*${name}`, 'm'));
    expect(text).toMatch(/^```ts/m);
    for (const heading of ['Errors', 'Limits']) expect(text).toContain(`\n## ${heading}\n`);
  },
);

test.each([...FOR_USERS, 'apps/gateway'])('the README of %s names exports that exist', (folder) => {
  const entry = read(`${folder}/src/index.ts`);
  for (const table of read(`${folder}/README.md`).matchAll(/^\| export \|.*\n\|.*\n((?:\|.*\n)+)/gm)) {
    for (const row of table[1]?.trimEnd().split('\n') ?? []) {
      const [, cell = ''] = row.split('|');
      // A member of what an export returns, such as `gater.events(params)`, is not an export.
      for (const [, name = ''] of cell.matchAll(/`(\w+)(?![\w.])[^`]*`/g)) {
        expect(entry, `${name} in ${row}`).toMatch(new RegExp(`\\b${name}\\b`));
      }
    }
  }
});

describe('ARCHITECTURE.md', () => {
  const text = read('ARCHITECTURE.md');

  test('has all packages, and so has the README', () => {
    for (const name of folders('packages')) {
      expect(text, name).toMatch(new RegExp(`\\| \`${name}\` \\|`));
      expect(read('README.md'), name).toContain(`(packages/${name})`);
    }
  });

  test('has the folders of the gateway, and so has its README', () => {
    for (const document of [text, read('apps/gateway/README.md')]) {
      for (const name of folders('apps/gateway/src')) expect(document, name).toContain(`\`${name}/\``);
    }
  });

  test('has the allowed imports', () => {
    const arrows = Object.fromEntries(
      [...text.matchAll(/^([a-z-]+) ─+► ([a-z, -]+?)(?: {2,}.*| \(.*)?$/gm)].map(([, from = '', to = '']) => [
        from,
        to.split(', ').sort(),
      ]),
    );
    const shared = ['primitives', 'types'];
    const foundations = ['types', 'primitives', 'retry', 'telemetry', 'protocol', 'native', 'gateway'];
    const expected = Object.entries(LAYERS)
      .filter(([name]) => !foundations.includes(name))
      .map(([name, { imports }]) => [name, imports.filter((one) => !shared.includes(one)).sort()] as const)
      // A package without imports has no arrow.
      .filter(([, imports]) => imports.length > 0);
    expect(arrows).toEqual(Object.fromEntries(expected));
    for (const name of foundations.slice(2, 5)) {
      expect(
        LAYERS[name]?.imports.filter((one) => !shared.includes(one)),
        name,
      ).toEqual([]);
    }
  });
});
