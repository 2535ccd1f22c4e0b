import { expect, test } from 'vitest';
import { FEED_START, isFurther, parseFeedPosition } from './feed-position.ts';

test('a saved feed position is parsed with its turn and its earlier points', () => {
  const saved = { position: 9, proof: 'abcdefgh', turn: 2, earlier: [{ position: 4, proof: 'ijklmnop' }] };
  expect(parseFeedPosition(JSON.parse(JSON.stringify(saved)))).toEqual(saved);
});

test('a number is a position without a proof, as earlier releases saved it', () => {
  expect(parseFeedPosition(7)).toEqual({ position: 7 });
  expect(parseFeedPosition({ position: 7 })).toEqual({ position: 7 });
});

test.each([undefined, null, 'x', -1, 1.5, {}, { position: '7' }, { position: 2 ** 60 }])(
  '%j is not a position, and counts as none',
  (value) => {
    expect(parseFeedPosition(value)).toEqual(FEED_START);
  },
);

test.each([0, -1, 1.5, '1', null, 2 ** 60])('a turn that is %j is left out', (turn) => {
  expect(parseFeedPosition({ position: 3, turn })).toEqual({ position: 3 });
});

test('a proof and earlier points that are of another type are left out', () => {
  expect(parseFeedPosition({ position: 3, proof: 7, earlier: 'x' })).toEqual({ position: 3 });
  expect(parseFeedPosition({ position: 3, turn: 1 })).toEqual({ position: 3, turn: 1 });
});

test('earlier points without a proof are left out', () => {
  const earlier = [{ position: 1 }, null, { position: 2, proof: 'abcdefgh' }];
  expect(parseFeedPosition({ position: 3, earlier }).earlier).toEqual([{ position: 2, proof: 'abcdefgh' }]);
});

test('a later turn is further than every position of an earlier turn', () => {
  expect(isFurther({ position: 2 }, { position: 1 })).toBe(true);
  expect(isFurther({ position: 1 }, { position: 1 })).toBe(false);
  expect(isFurther({ position: 1, turn: 1 }, { position: 100 })).toBe(true);
  expect(isFurther({ position: 100 }, { position: 1, turn: 1 })).toBe(false);
});
