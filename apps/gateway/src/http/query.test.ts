import { expect, test } from 'vitest';
import { readQuery } from './query.ts';

const KINDS = { from: 'integer', direction: 'text', types: 'texts' } as const;
const read = (text: string) => readQuery(new URLSearchParams(text), KINDS);

test('texts, integers and repeated parameters are read by their kinds', () => {
  expect(read('from=-1&direction=backward&types=a&types=b,c')).toEqual({
    from: -1,
    direction: 'backward',
    types: ['a', 'b,c'],
  });
  expect(read('')).toEqual({});
});

test.each([
  ['an unknown parameter', 'form=1', 'form'],
  ['a parameter given twice', 'from=1&from=2', 'from'],
  ['an integer with letters', 'from=1e3', 'from'],
  ['an empty integer', 'from=', 'from'],
  ['the name of an object member', '__proto__=1', '__proto__'],
  ['the name of a method of every object', 'toString=1', 'toString'],
])('%s is refused by its name', (_, text, parameter) => {
  expect(() => read(text)).toThrow(
    expect.objectContaining({ code: 'invalid_argument', reason: 'query', parameter }),
  );
});
