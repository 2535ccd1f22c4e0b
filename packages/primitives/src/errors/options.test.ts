import { describe, expect, test } from 'vitest';
import { invalidOption, requireInteger, requireNumber, requireOneOf } from './options.ts';

function refusal(check: () => unknown): unknown {
  try {
    check();
  } catch (error) {
    const { code, message, details } = error as { code: string; message: string; details: object };
    return { code, message, ...details };
  }
  return undefined;
}

describe('requireInteger', () => {
  test('returns an integer within the bounds, both inclusive', () => {
    expect([1, 12].map((value) => requireInteger('partitions', value, { min: 1, max: 12 }))).toEqual([1, 12]);
    expect(requireInteger('n', Number.MAX_SAFE_INTEGER, { min: 0 })).toBe(Number.MAX_SAFE_INTEGER);
  });

  test('names the option, the expectation and the actual value', () => {
    expect(refusal(() => requireInteger('maxAttempts', 0, { reason: 'retry_policy', min: 1 }))).toEqual({
      code: 'invalid_argument',
      message: '`maxAttempts` must be an integer of at least 1, got 0',
      reason: 'retry_policy',
      member: 'maxAttempts',
      expected: 'an integer of at least 1',
    });
  });

  test.each([13, 0, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '5', null, undefined, {}])(
    'refuses %j',
    (value) => {
      expect(refusal(() => requireInteger('partitions', value, { min: 1, max: 12 }))).toMatchObject({
        expected: 'an integer from 1 to 12',
        reason: 'partitions',
      });
    },
  );
});

describe('requireNumber', () => {
  test('a bound is inclusive, or exclusive as `above`', () => {
    expect(requireNumber('ms', 0, { min: 0 })).toBe(0);
    expect(requireNumber('ms', 0.001, { above: 0, max: 1 })).toBe(0.001);
    expect(refusal(() => requireNumber('ms', 0, { above: 0 }))).toMatchObject({
      expected: 'a number above 0',
    });
    expect(refusal(() => requireNumber('ms', -1, { min: 0 }))).toMatchObject({
      expected: 'a number of at least 0',
    });
    expect(refusal(() => requireNumber('ms', 2, { min: 0, max: 1 }))).toMatchObject({
      message: '`ms` must be a number from 0 to 1, got 2',
    });
    expect(refusal(() => requireNumber('ms', 2, { above: 0, max: 1 }))).toMatchObject({
      expected: 'a number above 0 and up to 1',
    });
  });

  test('infinity is allowed only as a bound, NaN and other types never', () => {
    const { POSITIVE_INFINITY, NEGATIVE_INFINITY, NaN: none } = Number;
    expect(requireNumber('ms', POSITIVE_INFINITY, { max: POSITIVE_INFINITY })).toBe(POSITIVE_INFINITY);
    expect(requireNumber('ms', NEGATIVE_INFINITY, { min: NEGATIVE_INFINITY })).toBe(NEGATIVE_INFINITY);
    expect(refusal(() => requireNumber('ms', POSITIVE_INFINITY, { min: 0 }))).toBeDefined();
    expect(refusal(() => requireNumber('ms', NEGATIVE_INFINITY, { max: 0 }))).toMatchObject({
      expected: 'a number up to 0',
    });
    for (const value of [none, '1', null, undefined, 1n]) {
      expect(refusal(() => requireNumber('ms', value, { max: POSITIVE_INFINITY }))).toMatchObject({
        expected: 'a number',
      });
    }
  });
});

test('requireOneOf accepts only its choices', () => {
  expect(requireOneOf('flush', 'commit', ['commit', 'checkpoint'])).toBe('commit');
  for (const value of ['', 'toString', undefined, ['commit']]) {
    expect(refusal(() => requireOneOf('flush', value, ['commit', 'checkpoint']))).toMatchObject({
      expected: '"commit" or "checkpoint"',
      reason: 'flush',
    });
  }
});

test('details of a rule are added to the error and override its own', () => {
  const rule = { reason: 'kafka', details: { member: 'partitions', option: 'x' } };
  expect(invalidOption('kafka.partitions', 'many', 'an integer', rule).details).toEqual({
    reason: 'kafka',
    member: 'partitions',
    expected: 'an integer',
    option: 'x',
  });
});
