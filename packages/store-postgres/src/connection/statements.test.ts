import { expect, test } from 'vitest';
import { createStatements } from './statements.ts';

test('a statement has the same name at every call, whatever its values, and another one has another', () => {
  const statements = createStatements(true);
  const first = statements.query('SELECT $1', [1]);
  expect(first).toEqual({ text: 'SELECT $1', values: [1], name: expect.any(String) });
  expect(statements.query('SELECT $1', [2])).toEqual({ ...first, values: [2] });
  expect(statements.query('SELECT 2', []).name).not.toBe(first.name);
});

test('behind a pooler of transactions no statement has a name', () => {
  expect(createStatements(false).query('SELECT $1', [1])).toEqual({ text: 'SELECT $1', values: [1] });
});
