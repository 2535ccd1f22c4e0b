import { readFileSync } from 'node:fs';
import { fc } from '@esdb-gater/property-testing';
import { expect, test } from 'vitest';
import { isEquivalent, readEquivalents } from './equivalents.ts';
import { type BabelPath, OWN_MUTATORS, withoutWording } from './mutators.ts';
import { readOptions } from './options.ts';
import { fractionOf, sampled } from './sample.ts';
import { scoreOf, type TriedMutant } from './score.ts';
import { withRow } from './table.ts';

const root = `${import.meta.dirname}/../..`;

function mutantsOf(node: object, parent?: object): readonly object[] {
  const path = { node, parent } as BabelPath;
  return OWN_MUTATORS.flatMap((mutator) => [...mutator.mutate(path)]);
}

test('a number becomes one more, and the name of a property stays', () => {
  const number = { type: 'NumericLiteral', value: 41 };
  expect(mutantsOf(number)).toEqual([{ type: 'NumericLiteral', value: 42 }]);
  expect(mutantsOf(number, { type: 'ObjectProperty', key: number })).toEqual([]);
});

test('a statement is removed, and the call of super stays', () => {
  const call = (callee: string) => ({
    type: 'ExpressionStatement',
    expression: { type: 'CallExpression', callee: { type: callee } },
  });
  expect(mutantsOf(call('Identifier'))).toEqual([{ type: 'BlockStatement', body: [], directives: [] }]);
  expect(mutantsOf({ type: 'ThrowStatement' })).toHaveLength(1);
  expect(mutantsOf(call('Super'))).toEqual([]);
  expect(mutantsOf({ type: 'ReturnStatement' })).toEqual([]);
});

test('sentences keep their wording, and codes, templates of keys, SQL and everything that is not a text change', () => {
  const all = { name: 'StringLiteral', mutate: () => [{ changed: true }] };
  const changes = (node: object, name = 'StringLiteral') =>
    [...withoutWording({ ...all, name }).mutate({ node, parent: undefined } as unknown as BabelPath)].length;
  const text = (value: string) => ({ type: 'StringLiteral', value });
  const template = (...raw: string[]) => ({
    type: 'TemplateLiteral',
    quasis: raw.map((one) => ({ value: { raw: one } })),
  });
  expect(changes(text('the store is locked'))).toBe(0);
  expect(changes(template('', ' must be a number, got ', ''))).toBe(0);
  expect(changes(template('unknown method ', ''))).toBe(0);
  for (const kept of ['', 'invalid_argument', 'events.*', 'esdb-gater/1\n', 'SELECT a FROM b', 'Bearer ']) {
    expect(changes(text(kept))).toBe(1);
  }
  expect(changes(template('', ':', ''))).toBe(1);
  expect(changes(text('the store is locked'), 'StatementRemoval')).toBe(1);
});

test('a sample is the same for the same seed, another for another, and about as large as its share', () => {
  const all = { name: 'All', mutate: () => Array.from({ length: 4_000 }, (_, n) => ({ n })) };
  const path = { node: { type: 'X', start: 7 }, parent: undefined };
  const chosen = (share: number, seed: string) => [...sampled(all, { share, seed }).mutate(path)];
  expect(chosen(0.25, 'a')).toEqual(chosen(0.25, 'a'));
  expect(chosen(0.25, 'a')).not.toEqual(chosen(0.25, 'b'));
  expect(chosen(0.25, 'a').length).toBeGreaterThan(900);
  expect(chosen(0.25, 'a').length).toBeLessThan(1_100);
  expect(chosen(1, 'a')).toHaveLength(4_000);
});

test('the fraction of any text lies from 0 up to 1', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 60 }), (text) => {
      expect(fractionOf(text)).toBeGreaterThanOrEqual(0);
      expect(fractionOf(text)).toBeLessThan(1);
    }),
  );
});

function mutant(status: string, line = 1): TriedMutant {
  return {
    file: 'packages/a/src/b.ts',
    mutator: 'M',
    code: `c${line}`,
    original: `o${line}`,
    replacement: 'r',
    status,
    line,
  };
}

test('the score counts endless loops as found, and leaves out equivalent mutants and those that do not run', () => {
  const mutants = [
    mutant('Survived', 9),
    mutant('Killed'),
    mutant('Timeout'),
    mutant('NoCoverage', 3),
    mutant('Survived', 5),
    mutant('CompileError'),
    mutant('Ignored'),
  ];
  const known = { ...mutant('Survived', 5), reason: 'the same' };
  const { tried, killed, equivalent, percent, survivors } = scoreOf(mutants, [known]);
  expect({ tried, killed, equivalent, percent }).toEqual({ tried: 5, killed: 2, equivalent: 1, percent: 50 });
  expect(survivors.map(({ line }) => line)).toEqual([3, 9]);
  expect(scoreOf([], []).percent).toBe(100);
});

test('a mutant is equivalent only as it stands on the list, on whatever line', () => {
  const list = [{ ...mutant('Survived', 4), reason: 'the same' }];
  expect(isEquivalent({ ...mutant('Survived', 4), line: 99 } as TriedMutant, list)).toBe(true);
  expect(isEquivalent({ ...mutant('Survived', 4), replacement: 'other' }, list)).toBe(false);
});

test('every entry of the list of equivalent mutants has a reason, and its line still exists', () => {
  for (const { file, code } of readEquivalents()) {
    expect(
      readFileSync(`${root}/${file}`, 'utf8')
        .split('\n')
        .map((line) => line.trim()),
    ).toContain(code);
  }
});

test('the table gets one row for each package, in the order of names', () => {
  const empty =
    'before\n<!-- mutation: begin, written by `npm run mutation` -->\n<!-- mutation: end -->\nafter\n';
  const row = { date: '2026-01-31', share: 0.2, score: scoreOf([mutant('Killed'), mutant('Survived')], []) };
  const one = withRow(empty, { ...row, name: 'retry' });
  const two = withRow(one, { ...row, name: 'channels' });
  expect(two.indexOf('`channels`')).toBeLessThan(two.indexOf('`retry`'));
  expect(two).toContain('| `retry` | 2026-01-31 | 2 | 20 % | 1 | 0 | 50.0 % |');
  expect(withRow(two, { ...row, name: 'retry' })).toBe(two);
  expect(two.endsWith('after\n')).toBe(true);
  expect(() => withRow('nothing', { ...row, name: 'retry' })).toThrow('must contain');
});

test('wrong options are refused by name', () => {
  const read = (...args: string[]) => readOptions(args, root, () => 'new');
  expect(read('retry')).toEqual({
    name: 'retry',
    share: 1,
    seed: 'new',
    file: '**/*.ts',
    concurrency: 2,
    table: false,
  });
  expect(read('retry', '--share', '0.5', '--seed', 'x')).toMatchObject({ share: 0.5, seed: 'x' });
  expect(read('--help')).toBeUndefined();
  for (const args of [
    [],
    ['a', 'b'],
    ['nothing'],
    ['retry', '--share', '0'],
    ['retry', '--share', '2'],
    ['retry', '--concurrency', '0'],
    ['retry', '--concurrency', '1.5'],
    ['retry', '--wat'],
  ]) {
    expect(() => read(...args)).toThrow();
  }
});
