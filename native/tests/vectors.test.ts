import { createHmac, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { fc } from '@esdb-gater/property-testing';
import bs58 from 'bs58';
import { expect, test } from 'vitest';
import { describeAddon } from './addon.ts';
import { BITCOIN_CORE, hex, RFC_4231, RFC_8032, utf8 } from './vectors.ts';

const RUNS = process.env['ESDB_GATER_FAULTS'] === '1' ? 100_000 : 2_000;

/** The prefix of 32 bytes in RFC 8410, which node:crypto needs. */
const privateKey = (seed: Uint8Array) =>
  createPrivateKey({
    key: Buffer.concat([hex('302e020100300506032b657004220420'), seed]),
    format: 'der',
    type: 'pkcs8',
  });

describeAddon('the native engine against vectors and other implementations', (native) => {
  test('computes the MACs of RFC 4231', () => {
    for (const [key, data, mac] of RFC_4231) {
      const id = native.createHmacKey(hex(key));
      expect(native.hmacSha256(id, hex(data))).toEqual(hex(mac));
      expect(native.hmacSha256Verify(id, hex(data), hex(mac))).toBe(true);
      expect(native.hmacSha256Many(id, [hex(data), hex(data)])).toEqual([hex(mac), hex(mac)]);
      expect(native.releaseHmacKey(id)).toBe(true);
    }
  });

  test('computes the keys and signatures of RFC 8032', () => {
    for (const [seed, publicKey, message, signature] of RFC_8032) {
      expect(native.ed25519PublicKey(hex(seed))).toEqual(hex(publicKey));
      expect(native.ed25519Sign(hex(seed), hex(message))).toEqual(hex(signature));
      expect(native.ed25519Verify(hex(publicKey), hex(message), hex(signature))).toBe(true);
      expect(native.ed25519Verify(hex(publicKey), hex(`${message}00`), hex(signature))).toBe(false);
    }
  });

  test('computes the Base58 texts of Bitcoin Core', () => {
    for (const [bytes, text] of BITCOIN_CORE) {
      expect(native.base58Encode(hex(bytes))).toBe(text);
      expect(native.base58Decode(text)).toEqual(hex(bytes));
    }
  });

  test('agrees with bs58 on random bytes of every length that is copied and that is passed', () => {
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

  test('agrees with node:crypto on single MACs and on batches that fill the arena', () => {
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

  test('keeps the order of a batch with more items than fit into the arena', () => {
    const id = native.createHmacKey(hex('00'));
    const list = Array.from({ length: 5_000 }, (_, i) => utf8(`item ${i}`));
    const macs = native.hmacSha256Many(id, list);
    expect(macs).toEqual(list.map((data) => native.hmacSha256(id, data)));
    native.releaseHmacKey(id);
  });

  test('signs and verifies as node:crypto does', () => {
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

  test('signs the UTF-8 of texts of any length and characters', () => {
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

  test('refuses a signature of a text that is not the one canonical base64url', () => {
    const id = native.createHmacKey(hex('00'));
    const signature = native.signMessage(id, 'text');
    // Two bits of the last character are unused.
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
