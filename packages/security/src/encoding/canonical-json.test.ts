import { JSON_DEPTH } from '@esdb-gater/primitives';
import { fc } from '@esdb-gater/property-testing';
import { describe, expect, test } from 'vitest';
import { canonicalJson, canonicalJsonWithout } from './canonical-json.ts';

/** RFC 8785, appendix B: IEEE 754 doubles in hex, and their form. */
const NUMBERS: readonly (readonly [hex: string, text: string])[] = [
  ['0000000000000000', '0'],
  ['8000000000000000', '0'],
  ['0000000000000001', '5e-324'],
  ['8000000000000001', '-5e-324'],
  ['7fefffffffffffff', '1.7976931348623157e+308'],
  ['ffefffffffffffff', '-1.7976931348623157e+308'],
  ['4340000000000000', '9007199254740992'],
  ['c340000000000000', '-9007199254740992'],
  ['4430000000000000', '295147905179352830000'],
  ['44b52d02c7e14af5', '9.999999999999997e+22'],
  ['44b52d02c7e14af6', '1e+23'],
  ['44b52d02c7e14af7', '1.0000000000000001e+23'],
  ['444b1ae4d6e2ef4e', '999999999999999700000'],
  ['444b1ae4d6e2ef4f', '999999999999999900000'],
  ['444b1ae4d6e2ef50', '1e+21'],
  ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
  ['3eb0c6f7a0b5ed8d', '0.000001'],
  ['41b3de4355555553', '333333333.3333332'],
  ['41b3de4355555554', '333333333.33333325'],
  ['41b3de4355555555', '333333333.3333333'],
  ['41b3de4355555556', '333333333.3333334'],
  ['41b3de4355555557', '333333333.33333343'],
  ['becbf647612f3696', '-0.0000033333333333333333'],
  ['43143ff3c1cb0959', '1424953923781206.2'],
];

const refused = (reason: string): unknown => expect.objectContaining({ code: 'invalid_argument', reason });

describe('canonicalJson', () => {
  test('writes the example of RFC 8785, section 3.2', () => {
    const value = JSON.parse(`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\"\\/",
      "literals": [null, true, false]
    }`);
    expect(canonicalJson(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  test('sorts by UTF-16 units, as the example of RFC 8785, section 3.2.3', () => {
    const value = JSON.parse(`{
      "\\u20ac": "Euro Sign", "\\r": "Carriage Return", "\\ufb33": "Hebrew Letter Dalet With Dagesh",
      "1": "One", "\\ud83d\\ude00": "Emoji: Grinning Face", "\\u0080": "Control",
      "\\u00f6": "Latin Small Letter O With Diaeresis"
    }`);
    expect(Object.values(JSON.parse(canonicalJson(value).replace('"1":', '"\\n1":')))).toEqual([
      'Carriage Return',
      'One',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ]);
  });

  test.each(NUMBERS)('writes the number 0x%s as %s (RFC 8785, appendix B)', (hex, text) => {
    expect(canonicalJson(Buffer.from(hex, 'hex').readDoubleBE())).toBe(text);
  });

  test('refuses numbers that JSON has not', () => {
    for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      expect(() => canonicalJson({ a: [wrong] })).toThrow(refused('number'));
    }
  });

  test('sorts names that look like numbers as strings', () => {
    expect(canonicalJson({ 10: 1, 9: 2, a: 3, '': 4 })).toBe('{"":4,"10":1,"9":2,"a":3}');
  });

  test('takes `__proto__` and its like as names', () => {
    const value = JSON.parse('{"b":1,"__proto__":{"x":1},"constructor":2,"toJSON":3}');
    expect(canonicalJson(value)).toBe('{"__proto__":{"x":1},"b":1,"constructor":2,"toJSON":3}');
    expect(canonicalJson(Object.assign(Object.create(null), { a: 1 }))).toBe('{"a":1}');
  });

  test('refuses lone surrogates in values and names', () => {
    for (const wrong of ['\ud800', 'a\udc00', '\udc00\ud800', '\ud83d']) {
      expect(() => canonicalJson([wrong])).toThrow(refused('lone_surrogate'));
      expect(() => canonicalJson({ [wrong]: 1 })).toThrow(refused('lone_surrogate'));
      expect(() => canonicalJson('x'.repeat(50) + wrong)).toThrow(refused('lone_surrogate'));
    }
  });

  test('refuses values that JSON.stringify would drop or change', () => {
    const holes = [1];
    holes[2] = 2;
    const wrong = [
      undefined,
      () => 1,
      Symbol('s'),
      1n,
      new Date(),
      new Map(),
      /x/,
      new Uint8Array(1),
      new Error('x'),
    ];
    for (const value of [...wrong, Object(1), Object('x'), new (class Mine {})()]) {
      expect(() => canonicalJson(value)).toThrow(refused('type'));
      expect(() => canonicalJson({ a: value })).toThrow(refused('type'));
    }
    expect(() => canonicalJson(holes)).toThrow(refused('type'));
  });

  test('reports the path of the invalid value and the problem', () => {
    expect(() => canonicalJson({ a: [1, { b: new Date() }] })).toThrow(
      /"\/a\/1\/b" must be a JSON value, got an object of class Date/,
    );
    expect(() => canonicalJson({ a: undefined })).toThrow(expect.objectContaining({ path: '/a' }));
  });

  test('stops at a cycle, and at more levels than it follows', () => {
    const cycle: Record<string, unknown> = {};
    cycle['self'] = [cycle, cycle];
    expect(() => canonicalJson(cycle)).toThrow(refused('depth'));
    const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels));
    expect(canonicalJson(nested(JSON_DEPTH.canonical))).toHaveLength(2 * JSON_DEPTH.canonical);
    expect(() => canonicalJson(nested(JSON_DEPTH.canonical + 1))).toThrow(refused('depth'));
    expect(() => canonicalJson(nested(100_000))).toThrow(refused('depth'));
  });

  test('leaves out a member at the first level only', () => {
    expect(canonicalJsonWithout({ a: 1, b: { a: 2 }, c: 3 }, 'a')).toBe('{"b":{"a":2},"c":3}');
    expect(canonicalJsonWithout({ a: 1 }, 'a')).toBe('{}');
  });

  test('parses to the same value, and does not depend on the order of the names (property)', () => {
    const shuffled = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(shuffled);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([name, member]) => [name, shuffled(member)]),
      );
    };
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
        const plain = JSON.parse(JSON.stringify(value));
        const text = canonicalJson(plain);
        expect(JSON.parse(text)).toEqual(plain);
        expect(canonicalJson(shuffled(plain))).toBe(text);
      }),
    );
  });
});
