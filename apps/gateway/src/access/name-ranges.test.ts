import { expect, test } from 'vitest';
import { rangesBelow } from './name-ranges.ts';

const below = (...resources: string[]) => rangesBelow(resources, 'esdb://default/stream/s/');
const S = 'esdb://default/stream/s/';

test('a grant of all names is the full range', () => {
  for (const all of ['*', 'esdb://*', 'esdb://default/*', 'esdb://default/stream/*', `${S}*`]) {
    expect(below(all, `${S}a`, `${S}b*`), all).toEqual([{ text: '', open: true }]);
  }
});

test('grants of other stores or kinds have no range', () => {
  const others = ['esdb://default/stream/other/*', 'esdb://default/snapshot/s/*', 'esdb://x/stream/s/a'];
  expect(below(...others)).toEqual([]);
});

test('ranges are sorted and do not overlap', () => {
  const ranges = below(`${S}c*`, `${S}ab*`, `${S}a*`, `${S}b`, `${S}cc`, `${S}b`, `${S}a`, `${S}b-1`);
  expect(ranges).toEqual([
    { text: 'a', open: true },
    { text: 'b', open: false },
    { text: 'b-1', open: false },
    { text: 'c', open: true },
  ]);
});

test('a name and all that begin with it are the latter', () => {
  expect(below(`${S}a`, `${S}a*`)).toEqual([{ text: 'a', open: true }]);
});

test('names are decoded, and a range begins before the first character with several spellings', () => {
  expect(below(`${S}a%2Fb*`)).toEqual([{ text: 'a/b', open: true }]);
  expect(below(`${S}users-%C3%A9`)).toEqual([{ text: 'users-', open: true }]);
});

test('a range includes every spelling that NFC converts to ASCII [R1]', () => {
  expect(below(`${S}Kunde;*`)).toEqual([
    { text: 'Kunde;', open: true },
    { text: 'Kunde\u037e', open: true },
    { text: '\u212a', open: true },
  ]);
  // Many of them cost no more than a few ranges.
  expect(below(`${S}${'K'.repeat(200)}*`)).toHaveLength(9);
  const others: string[] = [];
  for (let point = 0x80; point <= 0x10ffff; point++) {
    const character = String.fromCodePoint(point);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it matches ASCII
    if (/^[\u0000-\u007f]+$/.test(character.normalize('NFC'))) others.push(character);
  }
  expect(others).toEqual(['\u037e', '\u1fef', '\u212a']);
});
