import { fc } from '@esdb-gater/property-testing';
import { describe, expect, test } from 'vitest';
import {
  findInexactNumber,
  formatPath,
  hasKeptNumber,
  hasLargeNumber,
  inexactNumber,
  inexactNumbers,
  parseExactly,
} from './exact-numbers.ts';

describe('findInexactNumber', () => {
  test.each([
    ['9007199254740993', '', '9007199254740993'],
    ['-9007199254740993', '', '-9007199254740993'],
    ['[1,[12345678901234567]]', '[1][0]', '12345678901234567'],
    ['{"a":{"b":[0,{"c" :\n 9223372036854775807 }]}}', 'a.b[1].c', '9223372036854775807'],
    ['{"x":1e999}', 'x', '1e999'],
    ['{"x":-1.5E+0400}', 'x', '-1.5E+0400'],
    [`{"x":${'9'.repeat(400)}.5}`, 'x', `${'9'.repeat(400)}.5`],
    [`{"x":0.${'1'.repeat(60)}e999}`, 'x', `0.${'1'.repeat(60)}e999`],
    [`{"x":${'1'.repeat(300)}e50}`, 'x', `${'1'.repeat(300)}e50`],
    ['{"a":"9007199254740993","\\u0062":9007199254740993}', 'b', '9007199254740993'],
    ['{"a":{},"b":[],"c":["}]",{}],"d":9007199254740993}', 'd', '9007199254740993'],
  ])('finds the number in %s [R17]', (text, path, source) => {
    expect(findInexactNumber(text)).toEqual({ path, source });
  });

  test.each([
    '9007199254740992',
    '9007199254740994',
    '1700000000000000',
    '123456789012345680000',
    '1e308',
    '1e-999',
    '0.30000000000000004',
    '3.14159265358979323846264338327950288',
    '{"a":", 9007199254740993","b":"[9007199254740993]","c":"\\", 1e999"}',
    '{"9007199254740993":1,", 9007199254740993":2}',
  ])('finds none in %s, which JSON does not change [R17]', (text) => {
    expect(findInexactNumber(text)).toBeUndefined();
  });

  test('agrees with the digits of every integer, and returns its path [R17]', () => {
    const key = fc.string({ maxLength: 8 });
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n }),
        fc.json(),
        key,
        (integer, json, name) => {
          const text = `{"before":${json},${JSON.stringify(`k${name}`)}:[${json}, ${integer}]}`;
          const [own] = [...inexactNumbers(text)].filter(
            ({ path }) => path()[0] === `k${name}` && path()[1] === 1,
          );
          const exact = BigInt(Number(integer)) === integer || String(integer) === String(Number(integer));
          expect(own?.source).toBe(exact ? undefined : String(integer));
        },
      ),
    );
  });

  test('neither a number of a million digits nor a million numbers overflow the stack [R17]', () => {
    const digits = '1'.repeat(5_000_000);
    expect(findInexactNumber(`[0.${digits}]`)).toBeUndefined();
    expect(findInexactNumber(`[${digits}]`)?.path).toBe('[0]');
    const many = `[${'9007199254740992,'.repeat(1_000_000)}9007199254740993]`;
    expect(findInexactNumber(many)?.path).toBe('[1000000]');
  });
});

test('only a long path is cut, and keys are shown decoded [R17]', () => {
  const [place] = inexactNumbers(`{"params":{"${'k'.repeat(1_000)}":[{"a":1e999}]}}`);
  expect(place?.path(1)).toEqual(['params']);
  expect(formatPath(place?.path() ?? [])).toBe(`params.${'k'.repeat(64)}[0].a`);
});

test('the error names the path and the number, which is cut when it is long [R17]', () => {
  const error = inexactNumber({ path: 'n[0]', source: '9'.repeat(100) }, 'data');
  expect(error).toMatchObject({ code: 'invalid_argument', reason: 'number', path: 'data.n[0]' });
  expect(error.message).toBe(
    `\`data.n[0]\` must be a number that a double holds exactly, got ${'9'.repeat(40)}…; write it as a string`,
  );
});

test('every number that parsing changes is large after parsing [R17]', () => {
  fc.assert(
    fc.property(fc.json(), fc.bigInt(), (json, integer) => {
      const text = `{"a":${json},"b":[${integer}]}`;
      if (findInexactNumber(text) !== undefined) expect(hasLargeNumber(JSON.parse(text))).toBe(true);
    }),
  );
  expect(hasLargeNumber({ a: [Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER, '9e999', null] })).toBe(
    false,
  );
  for (const changed of ['9007199254740993', '-9007199254740993', '1e999', '-1e999']) {
    expect(hasLargeNumber(JSON.parse(`{"a":[{"b":${changed}}]}`))).toBe(true);
  }
});

test('parsing exactly keeps each number as it was written [R17]', () => {
  const text = '{"a":[9007199254740993,1,-12345678901234567890],"b":1e999,"c":"x","d":2.5}';
  expect(JSON.stringify(parseExactly(text))).toBe(text);
  expect(parseExactly('{"a":1}')).toEqual({ a: 1 });
});

test('a number that was kept as it was written is found wherever it is [R17]', () => {
  for (const text of ['9007199254740993', '[1,[9007199254740993]]', '{"a":{"b":[{"c":1e999}]}}']) {
    expect(hasKeptNumber(parseExactly(text))).toBe(true);
  }
  for (const text of ['1', '"9007199254740993"', 'null', '{"a":[1,null,"x",{}]}', '9007199254740992']) {
    expect(hasKeptNumber(parseExactly(text))).toBe(false);
  }
});

test('the path to a number is right after containers, strings and keys of any kind [R17]', () => {
  const path = (text: string) => inexactNumbers(text).next().value?.path();
  expect(path('[[],{},[1,2],1e999]')).toEqual([3]);
  expect(path('{"a":[1,2],"b":{"c":3},"d":1e999}')).toEqual(['d']);
  expect(path('{"a":"x","b":[{"c":"y","d":["z",1e999]}]}')).toEqual(['b', 0, 'd', 1]);
  expect(path('{"a,]}":["\\"[{",1e999]}')).toEqual(['a,]}', 1]);
  expect(path('1e999')).toEqual([]);
});

test('a key is shown decoded, and cut to 64 units [R17]', () => {
  const path = (key: string) => inexactNumbers(`{${key}:1e999}`).next().value?.path();
  expect(path(`"${'\\u0041'.repeat(63)}"`)).toEqual(['A'.repeat(63)]);
  expect(path(`"${'k'.repeat(65)}"`)).toEqual(['k'.repeat(64)]);
});
