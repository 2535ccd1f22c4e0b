import { expect, test } from 'vitest';
import { mutualImports } from './folders.ts';

const file = (name: string, ...specifiers: string[]) => ({
  file: `/p/src/${name}`,
  isTest: name.endsWith('.test.ts'),
  specifiers,
});

test('two folders that import each other are refused, each with a file that does', () => {
  const files = [
    file('calls/a.ts', '../access/b.ts'),
    file('access/c.ts', '@esdb-gater/types', '../calls/d.ts'),
  ];
  expect(mutualImports('/p/src', files)).toEqual([
    { file: '/p/src/calls/a.ts', message: 'imports access/, which imports calls/ in access/c.ts' },
    { file: '/p/src/access/c.ts', message: 'imports calls/, which imports access/ in calls/a.ts' },
  ]);
});

test('imports in one direction, within a folder, from the root and in tests are not cycles', () => {
  const files = [
    file('calls/a.ts', '../access/b.ts', './c.ts', './deep/d.ts'),
    file('access/e.ts', '../root.ts'),
    file('root.ts', './calls/a.ts', './access/b.ts'),
    file('access/e.test.ts', '../calls/a.ts'),
  ];
  expect(mutualImports('/p/src', files)).toEqual([]);
});
