import { countReach, fc } from '@esdb-gater/property-testing';
import type { JsonValue } from '@esdb-gater/types';
import { expect, test } from 'vitest';
import { stableJson } from './stable-json.ts';

/** The same value, whose objects have their members in the opposite order. */
function turned(value: JsonValue): JsonValue {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(turned);
  const members = Object.entries(value as Readonly<Record<string, JsonValue>>);
  return Object.fromEntries(members.reverse().map(([name, member]) => [name, turned(member)]));
}

test('equal values have equal texts, which parse to them again', () => {
  const reach = countReach({ turned: 100 });
  fc.assert(
    fc.property(fc.jsonValue(), (json) => {
      // -0 is written as 0.
      const value = JSON.parse(JSON.stringify(json)) as JsonValue;
      const text = stableJson(value);
      expect(JSON.parse(text)).toEqual(value);
      expect(stableJson(turned(value))).toBe(text);
      if (JSON.stringify(turned(value)) !== JSON.stringify(value)) reach.count('turned');
    }),
    { numRuns: 1_000 },
  );
  reach.check();
});

test.each<[string, JsonValue, string]>([
  [
    'members in the order of UTF-16 units',
    { b: 1, a: { d: 2, C: 3 }, '€': 4, '😀': 5, '': 6 },
    '{"":6,"a":{"C":3,"d":2},"b":1,"€":4,"😀":5}',
  ],
  ['arrays in their own order', [3, 1, [2, { y: 1, x: 2 }]], '[3,1,[2,{"x":2,"y":1}]]'],
  ['numbers as ECMAScript writes them', [1e21, 1.0, -0, 1e-7], '[1e+21,1,0,1e-7]'],
  ['a lone surrogate as an escape', '\ud800', '"\\ud800"'],
  ['null, true and empty values', [null, true, {}, [], ''], '[null,true,{},[],""]'],
  [
    'names of prototypes',
    JSON.parse('{"toString":1,"__proto__":2}') as JsonValue,
    '{"__proto__":2,"toString":1}',
  ],
])('writes %s', (_, value, text) => {
  expect(stableJson(value)).toBe(text);
});
