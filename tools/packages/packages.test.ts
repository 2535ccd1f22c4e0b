import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pack, publishedFolders, type Tarball } from '../pack/tarballs.ts';
import budgets from './budgets.json' with { type: 'json' };
import { measuredPackages, type Weight, weigh } from './measure.ts';
import { replaceTable } from './tables.ts';

/** How much a package may grow before `npm run packages` has to state it anew. */
const GROWTH = 1.1;

const BUDGETS: Readonly<Record<string, Weight>> = budgets;

describe('what a program gets with each package', () => {
  let folder: string;
  let tarballs: ReadonlyMap<string, Tarball>;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'esdb-gater-packages-'));
    tarballs = pack(publishedFolders(), folder);
  }, 120_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('every package has its budget', () => {
    expect(Object.keys(BUDGETS)).toEqual(measuredPackages());
  });

  test.each(Object.keys(BUDGETS))('%s installs and loads no more than stated', (name) => {
    const budget = BUDGETS[name] as Weight;
    const { dependencies, installedBytes, modules, moduleBytes } = weigh(name, tarballs);
    expect(dependencies).toEqual(budget.dependencies);
    expect(installedBytes).toBeLessThan(budget.installedBytes * GROWTH);
    expect(modules).toBeLessThan(budget.modules * GROWTH + 1);
    expect(moduleBytes).toBeLessThan(budget.moduleBytes * GROWTH);
  });

  test('no package needs the OpenTelemetry SDK, and only the drivers and the gateway need products', () => {
    const users = (product: RegExp): string[] =>
      Object.entries(BUDGETS).flatMap(([name, { dependencies }]) =>
        dependencies.some((dependency) => product.test(dependency)) ? [name.replace('@esdb-gater/', '')] : [],
      );
    expect(users(/^@opentelemetry\/(?!api$)/)).toEqual([]);
    expect(users(/kafka/)).toEqual(['broker-kafka', 'gateway']);
    expect(users(/^fastify$/)).toEqual(['gateway']);
    expect(users(/^ws$/)).toEqual(['client', 'gateway']);
    expect(users(/^pg$/)).toEqual(['gateway', 'store-postgres']);
    expect(users(/store-sqlite$/)).toEqual(['gateway']);
  });
});

test('a table is written between its marks, and a document without them is refused', () => {
  const marks = ['<!-- packages: begin, written by `npm run packages` -->', '<!-- packages: end -->'];
  expect(replaceTable(`a\n${marks.join('\nold\n')}\nb`, 'new')).toBe(`a\n${marks.join('\n\nnew\n')}\nb`);
  expect(() => replaceTable('a', 'new')).toThrow('must have the lines');
});
