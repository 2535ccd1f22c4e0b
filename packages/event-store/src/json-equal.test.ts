import { fc } from '@esdb-gater/property-testing';
import type { JsonValue } from '@esdb-gater/types';
import { expect, test } from 'vitest';
import { jsonEqual, jsonTextEqual } from './json-equal.ts';

/** RFC 8785 without shortcuts: what two equal values must share. */
function canonical(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(',')}}`;
}

const json = fc.json({ maxDepth: 3 }).map((text) => JSON.parse(text) as JsonValue);

test('values are equal exactly when their RFC 8785 forms are', () => {
  fc.assert(
    fc.property(json, json, (left, right) => {
      expect(jsonEqual(left, right)).toBe(canonical(left) === canonical(right));
      expect(jsonEqual(left, JSON.parse(canonical(left)))).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test.each([
  ['{"a":1,"b":2}', '{"b":2,"a":1}', true],
  ['1e2', '100.0', true],
  ['-0', '0', true],
  ['{"a":1}', '{"a":1,"b":1}', false],
  ['{"a":1}', '{"b":1}', false],
  ['{"toString":1}', '{"a":1}', false],
  ['{"a":{}}', '{"toString":{}}', false],
  ['[]', '{}', false],
  ['[1,2]', '[2,1]', false],
  ['[1]', '[1,1]', false],
  ['null', '{}', false],
  ['"1"', '1', false],
  ['{"__proto__":{"a":1}}', '{}', false],
  ['{"__proto__":{"a":1}}', '{"__proto__":{"a":1}}', true],
])('%s and %s: %s', (left, right, equal) => {
  expect(jsonTextEqual(left, right)).toBe(equal);
  expect(jsonTextEqual(right, left)).toBe(equal);
});
