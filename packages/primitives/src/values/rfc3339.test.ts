import { fc } from '@esdb-gater/property-testing';
import { describe, expect, test } from 'vitest';
import { isRfc3339, parseRfc3339 } from './rfc3339.ts';

describe('parseRfc3339', () => {
  test('reads every time that toISOString writes with a year of four digits', () => {
    const first = new Date('0000-01-01T00:00:00.000Z');
    const last = new Date('9999-12-31T23:59:59.999Z');
    fc.assert(
      fc.property(fc.date({ min: first, max: last, noInvalidDate: true }), (date) => {
        expect(parseRfc3339(date.toISOString())).toBe(date.getTime());
      }),
      { numRuns: 1_000 },
    );
  });

  test('reads offsets as Date.parse does', () => {
    const offset = fc
      .tuple(fc.constantFrom('+', '-'), fc.nat(23), fc.nat(59))
      .map(
        ([sign, hour, minute]) =>
          `${sign}${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`,
      );
    fc.assert(
      fc.property(offset, (zone) => {
        const time = `2024-02-29T12:34:56.789${zone}`;
        expect(parseRfc3339(time)).toBe(Date.parse(time));
      }),
    );
  });

  test.each([
    ['1970-01-01T00:00:00Z', 0],
    ['1970-01-01t00:00:00z', 0],
    ['1970-01-01T00:00:00.1Z', 100],
    ['1970-01-01T00:00:00.123999999Z', 123],
    ['1969-12-31T23:59:59.9999Z', -1],
    ['1970-01-01T01:00:00+01:00', 0],
    ['0000-02-29T00:00:00Z', Date.parse('0000-02-29T00:00:00Z')],
  ])('%s is %d', (time, expected) => {
    expect(parseRfc3339(time)).toBe(expected);
  });
});

test.each([
  '',
  '2026-01-01',
  '2026-01-01T00:00:00',
  '2026-01-01 00:00:00Z',
  '2026-01-01T00:00Z',
  '2026-1-01T00:00:00Z',
  '2026-00-01T00:00:00Z',
  '2026-13-01T00:00:00Z',
  '2026-01-00T00:00:00Z',
  '2026-01-32T00:00:00Z',
  '2026-02-29T00:00:00Z',
  '1900-02-29T00:00:00Z',
  '2026-04-31T00:00:00Z',
  '2026-01-01T24:00:00Z',
  '2026-01-01T00:60:00Z',
  '2026-12-31T23:59:60Z',
  '2026-01-01T00:00:00.Z',
  '2026-01-01T00:00:00.1234567890Z',
  '2026-01-01T00:00:00+24:00',
  '2026-01-01T00:00:00+0100',
  '+002026-01-01T00:00:00Z',
  ' 2026-01-01T00:00:00Z',
  '2026-01-01T00:00:00Z\n',
  1_767_225_600_000,
  null,
])('%j is not a time', (value) => {
  expect(isRfc3339(value)).toBe(false);
});
