import { expect, test } from 'vitest';
import { parsePosition, positionHead, reachesPosition, storePart } from './positions.ts';
import { NO_STORES, storePositions } from './store-positions.ts';

const MALFORMED = expect.objectContaining({ code: 'invalid_argument', reason: 'position_malformed' });
const HEAD = positionHead('events', 'abc1');

test('a position is read as it was written', () => {
  expect(parsePosition('events', `${HEAD}0`)).toEqual({ epoch: 'abc1', sequence: 0, stores: new Map() });
  const marks = [
    ['one', { position: 0 }],
    ['two_-A', { position: 12, proof: 'Xk3-9_aB' }],
    ['three', { position: 3, proof: 'abcdefgh', unproven: true }],
    ['four', { position: 4, unproven: true }],
    ['five', { position: 0, sinceMs: 1_700_000_000_000 }],
    ['x'.repeat(64), { position: Number.MAX_SAFE_INTEGER }],
  ] as const;
  const text = HEAD + 17 + storePositions(marks).text();
  expect(parsePosition('events', text)).toEqual({ epoch: 'abc1', sequence: 17, stores: new Map(marks) });
  expect(text).toMatch(/^[A-Za-z0-9._~-]+$/);
});

test.each([
  '',
  'm2abc1',
  'm2abc1.',
  'm2abc1.01',
  'm2abc1.-1',
  'm2.1',
  `m2${'a'.repeat(25)}.1`,
  'm2ABC.1',
  'xm2abc1.1',
  'm2abc1.1x',
  'm2abc1.1~a',
  'm2abc1.1~a.',
  'm2abc1.1~.5',
  'm2abc1.1~a.5.short',
  'm2abc1.1~a.5.ninechars',
  'm2abc1.1~a.x5',
  'm2abc1.1~a.05',
  `m2abc1.1~${'x'.repeat(65)}.5`,
  'm2abc1.1~a.5~a.6',
  'm2abc1.9007199254740992',
  'm2abc1.1~a.9007199254740992',
  'm2abc1.1~a.t9007199254740992',
  'm3abc1.1',
  'm0abc1.1',
])('%j is not a position of `events`', (text) => {
  expect(() => parsePosition('events', text)).toThrow(MALFORMED);
});

test('a position may name thousands of stores, but not any number', () => {
  const stores = (count: number) =>
    Array.from({ length: count }, (_, n) =>
      storePart(`s${String(n).padStart(63, '0')}`, { position: n }),
    ).join('');
  expect(parsePosition('events', `${HEAD}1${stores(3_000)}`).stores.size).toBe(3_000);
  expect(() => parsePosition('events', `${HEAD}1${stores(4_000)}`)).toThrow(MALFORMED);
});

test('positions of stores are changed one by one, and those from before stay as they are', () => {
  const first = NO_STORES.with('a', { position: 1 });
  const second = first.with('b', { position: 2 }).with('a', { position: 3 });
  expect([NO_STORES.text(), first.text(), second.text()]).toEqual(['', '~a.1', '~a.3~b.2']);
  expect([second.get('a'), second.get('b'), second.get('c'), first.get('b')]).toEqual([
    { position: 3 },
    { position: 2 },
    undefined,
    undefined,
  ]);
  expect(second.storeIds).toEqual(['a', 'b']);
  expect(storePositions([])).toBe(NO_STORES);
});

test('a reader has everything up to a position when its messages and its place in every wanted store are not before it', () => {
  const at = (sequence: number, one: number): string =>
    HEAD + sequence + storePositions([['one', { position: one }]]).text();
  expect(reachesPosition('events', at(2, 5), at(2, 5))).toBe(true);
  expect(reachesPosition('events', at(3, 6), at(2, 5))).toBe(true);
  expect(reachesPosition('events', at(1, 5), at(2, 5))).toBe(false);
  expect(reachesPosition('events', at(2, 4), at(2, 5))).toBe(false);
  expect(reachesPosition('events', at(2, 4), at(2, 5), (storeId) => storeId !== 'one')).toBe(true);
});

test('a reader of another run has not reached a position, whatever its number', () => {
  const later = positionHead('events', 'abc2');
  expect(reachesPosition('events', `${HEAD}9`, `${later}1`)).toBe(false);
  expect(reachesPosition('events', `${later}9`, `${HEAD}1`)).toBe(false);
});
