import { fc } from '@esdb-gater/property-testing';
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { describe, expect, test } from 'vitest';
import { ed25519Verify } from './ed25519.ts';
import { isStrictPoint, isStrictSignature } from './engine/ed25519-strict.ts';
import { Identity } from './identity.ts';
import { typescriptEngine as browserEngine } from './platform/browser.ts';
import { typescriptEngine as nodeEngine } from './platform/node.ts';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));

/** RFC 8032, section 7.1: seed, public key, message and signature. */
const RFC_8032: readonly (readonly [
  name: string,
  seed: string,
  key: string,
  data: string,
  signature: string,
])[] = [
  [
    '1',
    '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    '',
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  ],
  [
    '2',
    '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    '72',
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  ],
  [
    '3',
    'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    'af82',
    '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  ],
  [
    'SHA(abc)',
    '833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42',
    'ec172b93ad5e563f4932c70e1245034c35467ef2efd4d64ebf819683467e2bf',
    'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    'dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704',
  ],
];

const { Point } = ed25519;
const ORDER = Point.Fn.ORDER;
/** A point of order 8; its multiples are all eight points of small order. */
const TORSION = Point.fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05');

const littleEndian = (value: bigint): Uint8Array =>
  Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
const fromLittleEndian = (bytes: Uint8Array): bigint =>
  bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);

/**
 * A signature whose key and R have a small-order component: the equations with and without cofactor differ about it.
 */
function mixedSignature(
  data: Uint8Array,
  keyPart: number,
  rPart: number,
): [key: Uint8Array, signature: Uint8Array] {
  const [secret, nonce] = [1234567n, 7654321n];
  const part = (times: number): typeof TORSION =>
    times === 0 ? Point.ZERO : TORSION.multiplyUnsafe(BigInt(times));
  const key = Point.BASE.multiply(secret).add(part(keyPart)).toBytes();
  const r = Point.BASE.multiply(nonce).add(part(rPart)).toBytes();
  const challenge = fromLittleEndian(sha512(Uint8Array.of(...r, ...key, ...data))) % ORDER;
  const s = (nonce + challenge * secret) % ORDER;
  return [key, Uint8Array.of(...r, ...littleEndian(s))];
}

describe('ed25519Verify', () => {
  test.each(RFC_8032)('signs and verifies test %s of RFC 8032', (_, seed, key, data, signature) => {
    const identity = Identity.fromSeed(hex(seed));
    if (key.length === 64) expect(identity.publicKey).toEqual(hex(key));
    expect(identity.sign(hex(data))).toEqual(hex(signature));
    expect(ed25519Verify(identity.publicKey, hex(data), hex(signature))).toBe(true);
    const browser = browserEngine.createSigner(hex(seed));
    expect(browser.publicKey).toEqual(identity.publicKey);
    expect(browser.sign(hex(data))).toEqual(hex(signature));
    expect(browserEngine.ed25519Verify(identity.publicKey, hex(data), hex(signature))).toBe(true);
  });

  test('refuses a signature in which any bit is flipped', () => {
    const identity = Identity.generate();
    const data = new Uint8Array(40).fill(1);
    const signature = identity.sign(data);
    for (let bit = 0; bit < 512; bit++) {
      const flipped = signature.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(ed25519Verify(identity.publicKey, data, flipped)).toBe(false);
    }
    expect(ed25519Verify(identity.publicKey, data.fill(2), signature)).toBe(false);
  });

  test('refuses a scalar that is not reduced: S + L would be a second signature', () => {
    const identity = Identity.generate();
    const data = new Uint8Array(3);
    const signature = identity.sign(data);
    const larger = littleEndian(fromLittleEndian(signature.subarray(32)) + ORDER);
    const second = Uint8Array.of(...signature.subarray(0, 32), ...larger);
    expect(ed25519Verify(identity.publicKey, data, second)).toBe(false);
    expect(isStrictSignature(Uint8Array.of(...signature.subarray(0, 32), ...littleEndian(ORDER)))).toBe(
      false,
    );
    expect(isStrictSignature(Uint8Array.of(...signature.subarray(0, 32), ...littleEndian(ORDER - 1n)))).toBe(
      true,
    );
  });

  test('refuses keys and points of small order, for which anybody can sign anything', () => {
    const zero = new Uint8Array(32);
    for (let i = 0; i < 8; i++) {
      const small = (i === 0 ? Point.ZERO : TORSION.multiplyUnsafe(BigInt(i))).toBytes();
      const negative = small.slice();
      negative[31] = (negative[31] ?? 0) ^ 0x80;
      for (const point of [small, negative]) {
        expect(isStrictPoint(point)).toBe(false);
        expect(ed25519Verify(point, zero, Uint8Array.of(...point, ...zero))).toBe(false);
        expect(ed25519Verify(Identity.generate().publicKey, zero, Uint8Array.of(...point, ...zero))).toBe(
          false,
        );
      }
    }
  });

  test('refuses every encoding of a point that is not reduced', () => {
    const prime = 2n ** 255n - 19n;
    for (let excess = 0n; excess < 19n; excess++) {
      for (const sign of [0n, 1n << 255n])
        expect(isStrictPoint(littleEndian(prime + excess + sign))).toBe(false);
    }
    expect(isStrictPoint(littleEndian(prime - 2n))).toBe(true);
  });

  test('judges a signature that is good only with the cofactor as bad, with every engine', () => {
    const data = new Uint8Array(5);
    const [key, signature] = mixedSignature(data, 0, 1);
    expect(ed25519.verify(signature, data, key, { zip215: false })).toBe(true);
    expect(ed25519Verify(key, data, signature)).toBe(false);
    expect([nodeEngine, browserEngine].map((engine) => engine.ed25519Verify(key, data, signature))).toEqual([
      false,
      false,
    ]);
  });

  test('judges keys and points with a part of small order alike with every engine (property)', () => {
    const good = new Set<boolean>();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 8 }), fc.nat(7), fc.nat(7), (data, keyPart, rPart) => {
        const [key, signature] = mixedSignature(data, keyPart, rPart);
        const verdict = ed25519Verify(key, data, signature);
        good.add(verdict);
        expect(browserEngine.ed25519Verify(key, data, signature)).toBe(verdict);
        expect(nodeEngine.ed25519Verify(key, data, signature)).toBe(verdict);
      }),
      { numRuns: 60, examples: [[new Uint8Array(), 0, 0]] },
    );
    expect(good).toEqual(new Set([true, false]));
  });

  test('is false for wrong lengths and keys that are not a point, and throws for a value that is not a Uint8Array', () => {
    const identity = Identity.generate();
    const data = new Uint8Array(1);
    const signature = identity.sign(data);
    expect(ed25519Verify(identity.publicKey.subarray(1), data, signature)).toBe(false);
    expect(ed25519Verify(identity.publicKey, data, signature.subarray(1))).toBe(false);
    expect(ed25519Verify(identity.publicKey, data, new Uint8Array(65))).toBe(false);
    const off = new Uint8Array(32).fill(2);
    expect(ed25519Verify(off, data, signature)).toBe(false);
    for (const wrong of [null, undefined, 'x', [1]] as unknown[]) {
      const type = expect.objectContaining({ code: 'invalid_argument', reason: 'type' });
      expect(() => ed25519Verify(wrong as Uint8Array, data, signature)).toThrow(type);
      expect(() => ed25519Verify(identity.publicKey, wrong as Uint8Array, signature)).toThrow(type);
      expect(() => ed25519Verify(identity.publicKey, data, wrong as Uint8Array)).toThrow(type);
    }
  });
});
