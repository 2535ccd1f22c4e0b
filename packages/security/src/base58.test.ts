import { fc } from '@esdb-gater/property-testing';
import bs58 from 'bs58';
import { describe, expect, test } from 'vitest';
import { BASE58_MAX_BYTES, base58 } from './base58.ts';

/** bitcoin/bitcoin, src/test/data/base58_encode_decode.json: bytes in hex, and their Base58. */
const BITCOIN_CORE: readonly (readonly [hex: string, text: string])[] = [
  ['', ''],
  ['61', '2g'],
  ['626262', 'a3gV'],
  ['636363', 'aPEr'],
  ['73696d706c792061206c6f6e6720737472696e67', '2cFupjhnEsSn59qHXstmK2ffpLv2'],
  ['00eb15231dfceb60925886b67d065299925915aeb172c06647', '1NS17iag9jJgTHD1VXjvLCEnZuQ3rJDE9L'],
  ['516b6fcd0f', 'ABnLTmg'],
  ['bf4f89001e670274dd', '3SEo3LWLoPntC'],
  ['572e4794', '3EFU7m'],
  ['ecac89cad93923c02321', 'EJDM8drfXA6uyA'],
  ['10c8511e', 'Rt5zm'],
  ['00000000000000000000', '1111111111'],
  [
    '000111d38e5fc9071ffcd20b4a763cc9ae4f252bb4e48fd66a835e252ada93ff480d6dd43dc62a641155a5',
    '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz',
  ],
  [
    Buffer.from(Array.from({ length: 256 }, (_, i) => i)).toString('hex'),
    '1cWB5HCBdLjAuqGGReWE3R3CguuwSjw6RHn39s2yuDRTS5NsBgNiFpWgAnEx6VQi8csexkgYw3mdYrMHr8x9i7aEwP8kZ7vccXWqKDvGv3u1GxFKPuAkn8JCPPGDMf3vMMnbzm6Nh9zh1gcNsMvH3ZNLmP5fSG6DGbbi2tuwMWPthr4boWwCxf7ewSgNQeacyozhKDDQQ1qL5fQFUW52QKUZDZ5fw3KXNQJMcNTcaB723LchjeKun7MuGW5qyCBZYzA1KjofN1gYBV3NqyhQJ3Ns746GNuf9N2pQPmHz4xpnSrrfCvy6TVVz5d4PdrjeshsWQwpZsZGzvbdAdN8MKV5QsBDY',
  ],
];

const refused = (reason: string): unknown => expect.objectContaining({ code: 'invalid_argument', reason });

describe('base58', () => {
  test.each(BITCOIN_CORE)('encodes and decodes %s as Bitcoin Core does', (hex, text) => {
    expect(base58.encode(Buffer.from(hex, 'hex'))).toBe(text);
    expect(Buffer.from(base58.decode(text)).toString('hex')).toBe(hex);
  });

  test('equals bs58 at every length around the table of powers', () => {
    for (let length = 0; length <= 210; length++) {
      for (const fill of [0, 1, 0x7f, 0xff]) {
        const bytes = new Uint8Array(length).fill(fill);
        const text = bs58.encode(bytes);
        expect(base58.encode(bytes)).toBe(text);
        expect(base58.decode(text)).toEqual(bytes);
      }
    }
  });

  test('equals bs58 for any bytes, including leading zeros', () => {
    fc.assert(
      fc.property(fc.nat(5), fc.uint8Array({ maxLength: 150 }), (zeros, rest) => {
        const bytes = Uint8Array.of(...new Uint8Array(zeros), ...rest);
        const text = base58.encode(bytes);
        expect(text).toBe(bs58.encode(bytes));
        expect(base58.decode(text)).toEqual(bytes);
      }),
    );
  });

  test('decodes any text of the alphabet to the bytes that encode to it', () => {
    const digit = fc.constantFrom(...'123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz');
    fc.assert(
      fc.property(fc.string({ unit: digit, maxLength: 200 }), (text) => {
        expect(base58.encode(base58.decode(text))).toBe(text);
      }),
    );
  });

  test('refuses every character that is not in the alphabet, and reports its index', () => {
    for (const character of [
      '0',
      'O',
      'I',
      'l',
      ' ',
      '\n',
      '+',
      '\0',
      'ä',
      'Ł',
      '\u{1f600}',
      '\u0131',
      '\ud800',
    ]) {
      for (const text of [
        character,
        `${character}abc`,
        `abc${character}`,
        `1${character}`,
        `a${character}c`,
      ]) {
        expect(() => base58.decode(text)).toThrow(refused('base58'));
      }
    }
    expect(() => base58.decode('abc0')).toThrow(/at index 3/);
  });

  test('is bounded both ways, and never again: a small token that makes the decoder allocate 200 MB', () => {
    const largest = new Uint8Array(BASE58_MAX_BYTES).fill(255);
    expect(base58.decode(base58.encode(largest))).toEqual(largest);
    expect(base58.decode(base58.encode(largest.fill(0)))).toEqual(largest);
    expect(() => base58.encode(new Uint8Array(BASE58_MAX_BYTES + 1))).toThrow(refused('too_large'));
    expect(() => base58.decode('1'.repeat(BASE58_MAX_BYTES + 1))).toThrow(refused('too_large'));
    expect(() => base58.decode('z'.repeat(50_000_000))).toThrow(refused('too_large'));
  });

  test('refuses values that are neither bytes nor strings', () => {
    for (const wrong of [null, undefined, 1, 'text', [1, 2], new Uint16Array(1), new ArrayBuffer(1), {}]) {
      expect(() => base58.encode(wrong as Uint8Array)).toThrow(refused('type'));
    }
    for (const wrong of [null, undefined, 1, ['a'], new Uint8Array(1), {}]) {
      expect(() => base58.decode(wrong as string)).toThrow(refused('type'));
    }
  });
});

test('values at the borders of one, two and three bytes are read as they were written', () => {
  for (const bytes of [
    [1],
    [0xff],
    [1, 0],
    [0xff, 0xff],
    [1, 0, 0],
    [0xff, 0xff, 0xff],
    [1, 0, 0, 0],
    [0, 1, 0],
  ]) {
    const text = base58.encode(Uint8Array.from(bytes));
    expect(text).toBe(bs58.encode(Uint8Array.from(bytes)));
    expect([...base58.decode(text)]).toEqual(bytes);
  }
});
