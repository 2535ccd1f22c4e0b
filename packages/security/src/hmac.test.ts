import { createHmac } from 'node:crypto';
import { fc } from '@esdb-gater/property-testing';
import { describe, expect, test } from 'vitest';
import { hmacSha256, hmacSha256Many } from './hmac.ts';

const ascii = (text: string): string => Buffer.from(text, 'latin1').toString('hex');

/** RFC 4231, section 4: key, data and HMAC-SHA-256, in hex. Test case 5 is cut to 128 bits there. */
const RFC_4231: readonly (readonly [name: string, key: string, data: string, mac: string])[] = [
  [
    '1',
    '0b'.repeat(20),
    ascii('Hi There'),
    'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
  ],
  [
    '2',
    ascii('Jefe'),
    ascii('what do ya want for nothing?'),
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  ],
  ['3', 'aa'.repeat(20), 'dd'.repeat(50), '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe'],
  [
    '4',
    '0102030405060708090a0b0c0d0e0f10111213141516171819',
    'cd'.repeat(50),
    '82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b',
  ],
  ['5', '0c'.repeat(20), ascii('Test With Truncation'), 'a3b6167473100ee06e0c796c2955552b'],
  [
    '6',
    'aa'.repeat(131),
    ascii('Test Using Larger Than Block-Size Key - Hash Key First'),
    '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
  ],
  [
    '7',
    'aa'.repeat(131),
    ascii(
      'This is a test using a larger than block-size key and a larger than block-size data. ' +
        'The key needs to be hashed before being used by the HMAC algorithm.',
    ),
    '9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2',
  ],
];

const reference = (key: Uint8Array, data: Uint8Array): Uint8Array =>
  new Uint8Array(createHmac('sha256', key).update(data).digest());

describe('hmacSha256', () => {
  test.each(RFC_4231)('computes the MAC of test case %s of RFC 4231', (_, key, data, mac) => {
    const given = hmacSha256(Buffer.from(key, 'hex'), Buffer.from(data, 'hex'));
    expect(given).toHaveLength(32);
    expect(Buffer.from(given).toString('hex').slice(0, mac.length)).toBe(mac);
  });

  test('equals node:crypto for any key and data', () => {
    const bytes = fc.uint8Array({ maxLength: 300 });
    fc.assert(
      fc.property(bytes, fc.array(bytes, { maxLength: 5 }), (key, list) => {
        const expected = list.map((data) => reference(key, data));
        expect(list.map((data) => hmacSha256(key, data))).toEqual(expected);
        expect(hmacSha256Many(key, list)).toEqual(expected);
      }),
    );
  });

  test('equals node:crypto around the sizes at which the implementation changes', () => {
    const key = new Uint8Array([1, 2, 3]);
    for (const size of [0, 1, 63, 64, 65, 4095, 4096, 4097, 100_000]) {
      const data = new Uint8Array(size).fill(7);
      expect(hmacSha256(key, data)).toEqual(reference(key, data));
    }
  });

  test('takes a text as its UTF-8', () => {
    const data = new Uint8Array([1]);
    expect(hmacSha256('clé \u{1f511}', data)).toEqual(
      hmacSha256(new TextEncoder().encode('clé \u{1f511}'), data),
    );
    expect(() => hmacSha256('\ud800', data)).toThrow(expect.objectContaining({ reason: 'lone_surrogate' }));
  });

  test('sees that a key was changed in place', () => {
    const key = new Uint8Array(32);
    const data = new Uint8Array(8);
    hmacSha256(key, data);
    key[5] = 1;
    expect(hmacSha256(key, data)).toEqual(reference(key, data));
  });

  test('stays correct with more keys than it caches', () => {
    const data = new Uint8Array(8);
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 200; i++) {
        const key = Uint8Array.of(i, round);
        expect(hmacSha256(key, data)).toEqual(reference(key, data));
        expect(hmacSha256(Uint8Array.of(0, 0), data)).toEqual(reference(Uint8Array.of(0, 0), data));
      }
    }
  });

  test('returns a new array to each caller', () => {
    const [key, data] = [new Uint8Array(4), new Uint8Array(4)];
    const first = hmacSha256(key, data);
    const copy = first.slice();
    hmacSha256(key, Uint8Array.of(1));
    expect(first).toEqual(copy);
    first.fill(0);
    expect(hmacSha256(key, data)).toEqual(copy);
  });

  test('refuses values that are not a Uint8Array, and checks the whole list before it computes', () => {
    const wrong = [null, undefined, 1, 'text', [1], {}, new ArrayBuffer(2)];
    const type = expect.objectContaining({ code: 'invalid_argument', reason: 'type' });
    for (const data of wrong) {
      expect(() => hmacSha256('key', data as Uint8Array)).toThrow(type);
      expect(() => hmacSha256Many('key', [new Uint8Array(1), data as Uint8Array])).toThrow(type);
    }
    expect(() => hmacSha256Many('key', 'list' as unknown as Uint8Array[])).toThrow(type);
    for (const key of [null, undefined, 1, {}, [1]]) {
      expect(() => hmacSha256(key as unknown as string, new Uint8Array(1))).toThrow(type);
    }
  });

  test('refuses an array whose memory was transferred, instead of signing no bytes', () => {
    const data = new Uint8Array(8);
    structuredClone(data, { transfer: [data.buffer] });
    expect(() => hmacSha256('key', data)).toThrow(/detached/);
  });
});
