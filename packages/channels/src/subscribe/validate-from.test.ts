import { expect, test } from 'vitest';
import { validateFrom } from './validate-from.ts';

test.each(['latest', 'earliest', { position: 'm1' }, { time: '2026-01-31T12:00:00Z' }] as const)(
  '%j is where a subscription may begin',
  (from) => {
    expect(validateFrom(from)).toEqual(from);
  },
);

test('takes no other members over', () => {
  expect(validateFrom({ position: 'm1', other: 1 })).toEqual({ position: 'm1' });
  expect(validateFrom({ time: '2026-01-31T12:00:00Z', other: 1 })).toEqual({ time: '2026-01-31T12:00:00Z' });
});

test.each([
  undefined,
  null,
  '',
  'first',
  1,
  [],
  {},
  { position: 1 },
  { position: 1, time: '2026-01-31T12:00:00Z' },
  { position: 'm1', time: '2026-01-31T12:00:00Z' },
  { position: 'm1', time: null },
  { time: '2026-02-30T12:00:00Z' },
  { time: 0 },
])('%j is not', (from) => {
  expect(() => validateFrom(from)).toThrow(
    expect.objectContaining({ code: 'invalid_argument', reason: 'from' }),
  );
});
