import { JSON_DEPTH } from '@esdb-gater/primitives';
import { fc } from '@esdb-gater/property-testing';
import type { JsonValue } from '@esdb-gater/types';
import { describe, expect, test } from 'vitest';
import { checkMessage, inspectMessage } from './inspect-message.ts';

const MIB = 1_048_576;
const refusalBy = (
  check: (message: JsonValue, maxBytes: number) => unknown,
  value: unknown,
  maxBytes: number,
) => {
  try {
    check(value as JsonValue, maxBytes);
  } catch (error) {
    const { code, reason } = error as { code: string; reason?: string };
    return reason === undefined ? code : `${code} ${reason}`;
  }
  return undefined;
};

/** The refusal of a value, which must be the same with and without its hash. */
const refusal = (value: unknown, maxBytes = MIB): unknown => {
  const refused = refusalBy(inspectMessage, value, maxBytes);
  expect(refusalBy(checkMessage, value, maxBytes)).toBe(refused);
  return refused;
};

function shuffled(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(shuffled);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, member]) => [key, shuffled(member as JsonValue)] as const);
  return Object.fromEntries(entries.reverse());
}

describe('inspectMessage', () => {
  test('accepts a message of exactly the maximum bytes as JSON', () => {
    const exact = 'x'.repeat(MIB - 2);
    expect(refusal(exact)).toBeUndefined();
    expect(refusal(`${exact}x`)).toBe('payload_too_large');
    expect(refusal({ a: '\u0001'.repeat(MIB / 6 - 2) })).toBeUndefined();
    expect(refusal({ a: '\u0001'.repeat(MIB / 6) })).toBe('payload_too_large');
    expect(refusal('ж'.repeat(MIB / 2))).toBe('payload_too_large');
  });

  test('refuses a message if and only if it is too long', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.integer({ min: 1, max: 200 }), (value, maxBytes) => {
        const tooLong = Buffer.byteLength(JSON.stringify(value)) > maxBytes;
        expect(refusal(value, maxBytes)).toBe(tooLong ? 'payload_too_large' : undefined);
      }),
    );
  });

  test('reports the length of the message and the limit', () => {
    expect(() => inspectMessage('xxx', 4)).toThrow(expect.objectContaining({ bytes: 5, maxBytes: 4 }));
  });

  test('refuses values that JSON cannot represent', () => {
    const cyclic: unknown[] = [];
    cyclic.push(cyclic);
    for (const bad of [
      undefined,
      () => 1,
      Symbol('x'),
      1n,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      { a: undefined },
      [undefined],
      new Date(),
      cyclic,
    ]) {
      expect(refusal(bad)).toBe('invalid_argument message');
    }
  });

  test('takes a message of 100 levels, and refuses one level more', () => {
    const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels));
    expect(refusal(nested(JSON_DEPTH.value))).toBeUndefined();
    expect(refusal(nested(JSON_DEPTH.value + 1))).toBe('invalid_argument message');
  });

  test('equal messages have equal hashes in any order of members', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const one = inspectMessage(value as JsonValue, MIB).hash;
        expect(Number.isSafeInteger(one)).toBe(true);
        expect(inspectMessage(shuffled(value as JsonValue), MIB).hash).toBe(one);
      }),
    );
  });

  test('gives different messages different hashes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), fc.jsonValue({ maxDepth: 3 }), (one, other) => {
        const same = JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
        const hashOf = (value: unknown): number => inspectMessage(value as JsonValue, MIB).hash;
        expect(hashOf(one) === hashOf(other)).toBe(same);
      }),
      { numRuns: 500 },
    );
    const variants: JsonValue[] = [
      0,
      1,
      '0',
      '1',
      true,
      false,
      null,
      '',
      [],
      {},
      [[]],
      [{}],
      { a: 1 },
      { b: 1 },
    ];
    variants.push({ a: { b: 1 } }, { b: { a: 1 } }, [1, 2], [2, 1], ['1', 2], { a: 1, b: 2 }, { a: 2, b: 1 });
    expect(new Set(variants.map((value) => inspectMessage(value, MIB).hash)).size).toBe(variants.length);
  });
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  // JSON writes -0 as 0.
  if (typeof value !== 'object' || value === null) return value === 0 ? 0 : value;
  const entries = Object.entries(value).map(([key, member]) => [key, sorted(member)] as const);
  return { object: entries.sort(([one], [other]) => (one < other ? -1 : 1)) };
}
