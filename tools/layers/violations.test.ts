import { describe, expect, test } from 'vitest';
import { specifiersOf } from './imports.ts';
import { LAYERS } from './table.ts';
import { violationsOf } from './violations.ts';

const file = (specifier: string, isTest = false) => [{ file: 'x.ts', isTest, specifiers: [specifier] }];

describe('the layer check', () => {
  test('finds every kind of import and ignores comments', () => {
    const source = [
      `import { a } from 'one';`,
      `import type {\n  B,\n} from "two";`,
      `export { c } from 'three';`,
      `import 'four';`,
      `const d = await import('five');`,
      `// import { e } from 'six';`,
      `/* export { f } from 'seven'; */`,
    ].join('\n');
    expect(specifiersOf(source)).toEqual(['one', 'two', 'three', 'four', 'five']);
  });

  test('lets an arrow point downwards', () => {
    expect(violationsOf('registry', file('@esdb-gater/types'), LAYERS)).toEqual([]);
  });

  test('refuses an arrow that points upwards', () => {
    expect(violationsOf('types', file('@esdb-gater/client'), LAYERS)).toHaveLength(1);
  });

  test('refuses a product outside its adapter', () => {
    expect(violationsOf('channels', file('kafkajs'), LAYERS)[0]?.message).toContain('only "broker-kafka"');
  });

  test('lets the tests of every package import the generators of property tests, and nothing else', () => {
    expect(violationsOf('retry', file('@esdb-gater/property-testing', true), LAYERS)).toEqual([]);
    expect(violationsOf('retry', file('@esdb-gater/property-testing'), LAYERS)).toHaveLength(1);
  });

  test('lets only tests import the conformance suites', () => {
    expect(violationsOf('store-sqlite', file('@esdb-gater/conformance', true), LAYERS)).toEqual([]);
    expect(violationsOf('store-sqlite', file('@esdb-gater/conformance'), LAYERS)).toHaveLength(1);
  });

  test('lets only tests import an entry for tests', () => {
    expect(violationsOf('registry', file('@esdb-gater/primitives/testing', true), LAYERS)).toEqual([]);
    const [violation] = violationsOf('registry', file('@esdb-gater/primitives/testing'), LAYERS);
    expect(violation?.message).toBe('only tests may import "@esdb-gater/primitives/testing"');
    expect(violationsOf('types', file('@esdb-gater/primitives/testing', true), LAYERS)).toHaveLength(1);
    const entry = [
      {
        file: 'packages/app/src/testing/a.ts',
        isTest: false,
        specifiers: ['@esdb-gater/primitives/testing'],
      },
    ];
    expect(violationsOf('app', entry, LAYERS)).toEqual([]);
  });

  test('refuses a package without a row', () => {
    expect(violationsOf('new-one', [], LAYERS)).toHaveLength(1);
  });
});
