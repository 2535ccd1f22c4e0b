import { describe, expect, test } from 'vitest';
import { base58 } from './base58.ts';
import { didKey } from './did-key.ts';
import { Identity } from './identity.ts';

/** W3C CCG did-method-key, test-vectors/ed25519-x25519.json: the seed's last byte, and the DID. */
const VECTORS: readonly (readonly [last: number, did: string])[] = [
  [0, 'did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp'],
  [1, 'did:key:z6MkjchhfUsD6mmvni8mCdXHw216Xrm9bQe2mBH1P5RDjVJG'],
  [2, 'did:key:z6MknGc3ocHs3zdPiJbnaaqDi58NGb4pk1Sp9WxWufuXSdxf'],
];

const seedOf = (last: number): Uint8Array => {
  const seed = new Uint8Array(32);
  seed[31] = last;
  return seed;
};

const withPrefix = (...bytes: number[]): string =>
  `did:key:z${base58.encode(Uint8Array.from([...bytes, ...Identity.fromSeed(seedOf(1)).publicKey]))}`;

describe('didKey', () => {
  test.each(VECTORS)('knows the DID of the seed 0…%d', (last, did) => {
    const { publicKey } = Identity.fromSeed(seedOf(last));
    expect(didKey.encode(publicKey)).toBe(did);
    expect(didKey.decode(did)).toEqual(publicKey);
    expect(didKey.is(did)).toBe(true);
  });

  test('refuses a text that is not a canonical did:key of an Ed25519 key', () => {
    const did = VECTORS[0]?.[1] ?? '';
    const wrong = [
      '',
      'did:key:',
      did.slice(0, -1),
      `${did}1`,
      ` ${did}`,
      `${did}\n`,
      did.toLowerCase(),
      did.replace('did:', 'DID:'),
      did.replace(':z', ':Z'),
      did.replace(':z', ':f'),
      did.replace('z6Mk', 'z16Mk'),
      `${did}#${did.slice(8)}`,
      `${did.slice(0, -1)}0`,
      'did:web:example.com',
      // X25519, secp256k1, and Ed25519 with a varint that is longer than it need be.
      withPrefix(0xec, 0x01),
      withPrefix(0xe7, 0x01),
      withPrefix(0xed, 0x81, 0x00),
      withPrefix(0xed),
      withPrefix(0x00, 0xed, 0x01),
    ];
    for (const text of wrong) {
      expect(didKey.is(text)).toBe(false);
      expect(() => didKey.decode(text)).toThrow(expect.objectContaining({ reason: 'did' }));
    }
    for (const value of [null, undefined, 1, {}, [did]]) {
      expect(didKey.is(value)).toBe(false);
      expect(() => didKey.decode(value as string)).toThrow(expect.objectContaining({ reason: 'did' }));
    }
  });

  test('refuses keys of small order and such that are not reduced', () => {
    const identity = new Uint8Array(32);
    identity[0] = 1;
    const unreduced = new Uint8Array(32).fill(0xff);
    unreduced[0] = 0xf0;
    for (const publicKey of [identity, new Uint8Array(32), unreduced]) {
      expect(() => didKey.encode(publicKey)).toThrow(expect.objectContaining({ reason: 'public_key' }));
      const did = `did:key:z${base58.encode(Uint8Array.of(0xed, 0x01, ...publicKey))}`;
      expect(didKey.is(did)).toBe(false);
    }
  });

  test('returns copies, so that a cached key cannot be changed', () => {
    const did = VECTORS[1]?.[1] ?? '';
    didKey.decode(did).fill(0);
    expect(didKey.encode(didKey.decode(did))).toBe(did);
  });
});
