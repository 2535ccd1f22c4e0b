import { expect, test } from 'vitest';
import { unixSeconds } from './time.ts';

test('takes a Date, Unix seconds with fractions, and Unix milliseconds from 1973 on', () => {
  expect(unixSeconds(new Date(1_500), 'it')).toBe(1.5);
  expect(unixSeconds(1.5, 'it')).toBe(1.5);
  expect(unixSeconds(99_999_999_999, 'it')).toBe(99_999_999_999);
  expect(unixSeconds(100_000_000_000, 'it')).toBe(100_000_000);
  expect(unixSeconds(-100_000_000_000, 'it')).toBe(-100_000_000);
  // A Date is milliseconds, whatever its size.
  expect(unixSeconds(new Date(200_000_000_000_000), 'it')).toBe(200_000_000_000);
});

test('takes the present when no moment is given', () => {
  expect(Math.abs(unixSeconds(undefined, 'it') - Date.now() / 1_000)).toBeLessThan(60);
});

test.each([Number.NaN, Number.POSITIVE_INFINITY, '1', null, {}, new Date(Number.NaN)])(
  'refuses %o',
  (wrong) => {
    expect(() => unixSeconds(wrong as number, 'it')).toThrow(
      expect.objectContaining({ code: 'invalid_argument', reason: 'time' }),
    );
  },
);
