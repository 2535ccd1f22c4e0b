import { createHmac, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import bs58 from 'bs58';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { describeAddon } from './addon.ts';

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** RFC 4231, section 4, without the truncated case: key, data, MAC. */
const RFC_4231: readonly (readonly [string, string, string])[] = [
  ['0b'.repeat(20), '4869205468657265', 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'],
  [
    '4a656665',
    '7768617420646f2079612077616e7420666f72206e6f7468696e673f',
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  ],
  ['aa'.repeat(20), 'dd'.repeat(50), '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe'],
  [
    'aa'.repeat(131),
    Buffer.from('Test Using Larger Than Block-Size Key - Hash Key First').toString('hex'),
    '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
  ],
];

/** RFC 8032, section 7.1, test 2: seed, public key, message, signature. */
const RFC_8032 = {
  seed: hex('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb'),
  publicKey: hex('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c'),
  message: hex('72'),
  signature: hex(
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  ),
};

/** From `base58_encode_decode.json` of Bitcoin Core. */
const BITCOIN_CORE: readonly (readonly [string, string])[] = [
  ['', ''],
  ['61', '2g'],
  ['73696d706c792061206c6f6e6720737472696e67', '2cFupjhnEsSn59qHXstmK2ffpLv2'],
  ['00eb15231dfceb60925886b67d065299925915aeb172c06647', '1NS17iag9jJgTHD1VXjvLCEnZuQ3rJDE9L'],
  ['00000000000000000000', '1111111111'],
];

const RUNS = process.env['ESDB_GATER_FAULTS'] === '1' ? 100_000 : 2_000;

/** What stands before 32 bytes in RFC 8410, so that node:crypto takes them. */
const privateKey = (seed: Uint8Array) =>
  createPrivateKey({
    key: Buffer.concat([hex('302e020100300506032b657004220420'), seed]),
    format: 'der',
    type: 'pkcs8',
  });

describeAddon('the native engine against vectors and other implementations', (native) => {
  it('gives the MACs of RFC 4231', () => {
    for (const [key, data, mac] of RFC_4231) {
      const id = native.createHmacKey(hex(key));
      expect(native.hmacSha256(id, hex(data))).toEqual(hex(mac));
      expect(native.hmacSha256Verify(id, hex(data), hex(mac))).toBe(true);
      expect(native.hmacSha256Many(id, [hex(data), hex(data)])).toEqual([hex(mac), hex(mac)]);
      expect(native.releaseHmacKey(id)).toBe(true);
    }
  });

  it('gives the key and the signature of RFC 8032', () => {
    const { seed, publicKey, message, signature } = RFC_8032;
    expect(native.ed25519PublicKey(seed)).toEqual(publicKey);
    expect(native.ed25519Sign(seed, message)).toEqual(signature);
    expect(native.ed25519Verify(publicKey, message, signature)).toBe(true);
    expect(native.ed25519Verify(publicKey, hex('73'), signature)).toBe(false);
  });

  it('gives the Base58 texts of Bitcoin Core', () => {
    for (const [bytes, text] of BITCOIN_CORE) {
      expect(native.base58Encode(hex(bytes))).toBe(text);
      expect(native.base58Decode(text)).toEqual(hex(bytes));
    }
  });

  it('agrees with bs58 on random bytes of every length that is copied and that is passed', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          { weight: 20, arbitrary: fc.uint8Array({ maxLength: 100 }) },
          { weight: 1, arbitrary: fc.uint8Array({ minLength: 500, maxLength: 600 }) },
        ),
        (bytes) => {
          const text = bs58.encode(bytes);
          expect(native.base58Encode(bytes)).toBe(text);
          expect(native.base58Decode(text)).toEqual(bytes);
        },
      ),
      { numRuns: RUNS },
    );
  });

  it('agrees with node:crypto on MACs, one by one and in batches that fill the arena', () => {
    const size = fc.oneof(
      { weight: 20, arbitrary: fc.integer({ min: 0, max: 700 }) },
      { weight: 1, arbitrary: fc.constantFrom(65_535, 65_536, 65_537, 100_000) },
    );
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 150 }),
        fc.array(size, { maxLength: 12 }),
        fc.integer(),
        (key, sizes, seed) => {
          const list = sizes.map((length, item) =>
            new Uint8Array(length).map((_, i) => (i * 31 + item + seed) & 0xff),
          );
          const expected = list.map((data) =>
            Uint8Array.from(createHmac('sha256', key).update(data).digest()),
          );
          const id = native.createHmacKey(key);
          expect(native.hmacSha256Many(id, list)).toEqual(expected);
          expect(list.map((data) => native.hmacSha256(id, data))).toEqual(expected);
          native.releaseHmacKey(id);
        },
      ),
      { numRuns: RUNS / 20 },
    );
  });

  it('keeps the order of a batch with more items than the arena has places', () => {
    const id = native.createHmacKey(hex('00'));
    const list = Array.from({ length: 5_000 }, (_, i) => utf8(`item ${i}`));
    const macs = native.hmacSha256Many(id, list);
    expect(macs).toEqual(list.map((data) => native.hmacSha256(id, data)));
    native.releaseHmacKey(id);
  });

  it('signs and verifies as node:crypto does', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.uint8Array({ maxLength: 1_500 }),
        fc.nat(511),
        (seed, data, bit) => {
          const key = privateKey(seed);
          const signature = Uint8Array.from(sign(null, data, key));
          const publicKey = native.ed25519PublicKey(seed);
          expect(native.ed25519Sign(seed, data)).toEqual(signature);
          expect(native.ed25519Verify(publicKey, data, signature)).toBe(true);
          signature[bit >> 3] = (signature[bit >> 3] ?? 0) ^ (1 << (bit & 7));
          expect(native.ed25519Verify(publicKey, data, signature)).toBe(
            verify(null, data, createPublicKey(key), signature),
          );
        },
      ),
      { numRuns: RUNS / 20 },
    );
  });

  it('signs texts by their UTF-8, however long and whatever the characters', () => {
    const key = utf8('secret');
    const id = native.createHmacKey(key);
    const macOf = (text: string): string =>
      createHmac('sha256', key).update(text, 'utf8').digest('base64url');
    const texts = ['', 'a', 'é', '�', '\u{1f600}', '\0', 'Ł', 'x'.repeat(2_040), 'é'.repeat(1_024)];
    for (let length = 2_030; length < 2_060; length++) {
      texts.push('a'.repeat(length), `${'a'.repeat(length)}\u{1f600}`, '€'.repeat(length));
    }
    expect(native.signMessages(id, texts)).toEqual(texts.map(macOf));
    for (const text of texts) expect(native.signMessage(id, text)).toBe(macOf(text));
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 300 }),
        fc.string({ maxLength: 50 }),
        (text, other) => {
          const signature = native.signMessage(id, text);
          expect(signature).toBe(macOf(text));
          expect(native.verifyMessage(id, text, signature)).toBe(true);
          expect(native.verifyMessage(id, other, signature)).toBe(other === text);
        },
      ),
      { numRuns: RUNS / 2 },
    );
    native.releaseHmacKey(id);
  });

  it('refuses a signature of a text that is not the one canonical base64url', () => {
    const id = native.createHmacKey(hex('00'));
    const signature = native.signMessage(id, 'text');
    // Two bits of the last character stand for nothing.
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const next = alphabet[alphabet.indexOf(signature.at(-1) ?? '') ^ 1] ?? '';
    const wrong = [
      '',
      'A',
      `${signature}=`,
      ` ${signature}`,
      signature.slice(0, -1),
      `${signature}A`,
      signature.slice(0, -1) + next,
      'é'.repeat(43),
    ];
    const texts = wrong.map(() => 'text');
    expect(native.verifyMessages(id, texts, wrong)).toEqual(wrong.map(() => false));
    expect(native.verifyMessages(id, ['text', 'text'], [signature, ''])).toEqual([true, false]);
    native.releaseHmacKey(id);
  });
});
