import { fc } from '@esdb-gater/property-testing';
import { describe, expect, test } from 'vitest';
import { parseStrictJson } from './strict-json.ts';

const utf8 = new TextEncoder();
const parse = (json: string): unknown => parseStrictJson(utf8.encode(json));

describe('parseStrictJson', () => {
  test('parses the same texts as JSON.parse (property)', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.nat(3), (value, indent) => {
        const json = JSON.stringify(value, undefined, indent);
        expect(parse(json)).toEqual(JSON.parse(json));
      }),
    );
  });

  test('refuses a duplicate name in one object, however it is escaped', () => {
    for (const json of [
      '{"a":1,"a":2}',
      '{"a":1,"b":{},"a":1}',
      '{"a":1,"\\u0061":2}',
      '[{"x":{"y":[1,{"a":"}","a":1}]}}]',
      '{"":1,"":2}',
      '{"__proto__":1,"__proto__":2}',
      '{ "a\\"b" : 1 , "a\\"b" : 2 }',
    ]) {
      expect(() => parse(json)).toThrow(/twice/);
    }
  });

  test('accepts one name in several objects, and as a value', () => {
    for (const json of [
      '{"a":{"a":{"a":1}}}',
      '[{"a":1},{"a":1}]',
      '{"a":"a","b":"a"}',
      '{"a":["a","a","a"],"b":1}',
    ]) {
      expect(parse(json)).toEqual(JSON.parse(json));
    }
  });

  test('refuses a byte order mark, bad UTF-8 and invalid JSON', () => {
    for (const bytes of [
      [0xef, 0xbb, 0xbf, 0x7b, 0x7d],
      [0x22, 0xc0, 0x80, 0x22],
      [0x22, 0xed, 0xa0, 0x80, 0x22],
    ]) {
      expect(() => parseStrictJson(Uint8Array.from(bytes))).toThrow();
    }
    for (const json of ['', '{', '{"a":1,}', "{'a':1}", 'undefined', '{"a":01}', '1 2', '"\n"']) {
      expect(() => parse(json)).toThrow(/invalid JSON/);
    }
  });

  test('refuses deep nesting without running out of stack', () => {
    expect(parse('['.repeat(32) + ']'.repeat(32))).toBeDefined();
    expect(() => parse('['.repeat(33) + ']'.repeat(33))).toThrow(/levels/);
    expect(() => parse('['.repeat(8_000) + ']'.repeat(8_000))).toThrow(/levels/);
  });
});
