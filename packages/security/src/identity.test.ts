import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { ed25519Verify } from './ed25519.ts';
import { Identity, identityFromJson, identityToJson, isIdentity } from './identity.ts';
import { createProof } from './tokens/proof.ts';

const seed = Uint8Array.from({ length: 32 }, (_, i) => i + 1);
const data = new TextEncoder().encode('data');

describe('Identity', () => {
  test('makes signatures that its public key verifies', () => {
    const identity = Identity.generate();
    expect(ed25519Verify(identity.publicKey, data, identity.sign(data))).toBe(true);
    expect(ed25519Verify(Identity.generate().publicKey, data, identity.sign(data))).toBe(false);
  });

  test('is the same for the same seed, which it copies', () => {
    const mine = seed.slice();
    const identity = Identity.fromSeed(mine);
    mine.fill(0);
    expect(identity.did).toBe(Identity.fromSeed(seed).did);
    expect(identity.sign(data)).toEqual(Identity.fromSeed(seed).sign(data));
    expect(Identity.generate().did).not.toBe(Identity.generate().did);
  });

  test('is saved in a file as a JWK with its DID, and loaded again', () => {
    const identity = Identity.fromSeed(seed);
    const json = JSON.parse(JSON.stringify(identityToJson(identity)));
    expect(json).toEqual({
      did: identity.did,
      kty: 'OKP',
      crv: 'Ed25519',
      x: Buffer.from(identity.publicKey).toString('base64url'),
      d: Buffer.from(seed).toString('base64url'),
    });
    expect(identityFromJson(json).did).toBe(identity.did);
    expect(identityFromJson({ kty: 'OKP', crv: 'Ed25519', d: json.d }).did).toBe(identity.did);
  });

  test('refuses a file with parts of different keys', () => {
    const json = identityToJson(Identity.fromSeed(seed));
    const other = identityToJson(Identity.generate());
    for (const change of [
      { d: other.d },
      { x: other.x },
      { did: other.did },
      { kty: 'EC' },
      { crv: 'X25519' },
      { d: 'AAAA' },
      { d: undefined },
      { d: `${json.d}=` },
    ]) {
      expect(() => identityFromJson({ ...json, ...change })).toThrow(
        expect.objectContaining({ code: 'invalid_argument', reason: 'identity' }),
      );
    }
    for (const wrong of [null, [], 'x', {}]) expect(() => identityFromJson(wrong)).toThrow(/identity/);
  });

  test('does not reveal its private key when it is printed (T9)', () => {
    const identity = Identity.fromSeed(seed);
    const { d } = identityToJson(identity);
    const hex = Buffer.from(seed).toString('hex');
    const shown =
      JSON.stringify(identity) + inspect(identity, { depth: 9, showHidden: true }) + String(identity);
    expect(shown).toContain(identity.did);
    expect(shown).not.toContain(d);
    expect(shown).not.toContain(hex);
    expect(shown).not.toContain(inspect(seed).slice(20, 60));
  });

  test('refuses a seed or data of the wrong type', () => {
    for (const wrong of [new Uint8Array(31), new Uint8Array(33), 'x'.repeat(32), null, undefined]) {
      expect(() => Identity.fromSeed(wrong as Uint8Array)).toThrow(
        expect.objectContaining({ code: 'invalid_argument' }),
      );
    }
    expect(() => Identity.generate().sign('text' as unknown as Uint8Array)).toThrow(/Uint8Array/);
    expect(() => identityToJson({ did: 'x' } as Identity)).toThrow(
      expect.objectContaining({ reason: 'type' }),
    );
    expect([isIdentity(Identity.generate()), isIdentity({}), isIdentity(null)]).toEqual([true, false, false]);
  });
});

test('only an identity made here is taken for one', () => {
  const like = { did: 'x', publicKey: new Uint8Array(32), sign: () => new Uint8Array(64) };
  for (const wrong of [like, {}, null, 'did:key:z6Mk']) {
    expect(() => identityToJson(wrong as never)).toThrow(
      expect.objectContaining({ code: 'invalid_argument', reason: 'type' }),
    );
    expect(() => createProof(wrong as never, 'gateway', 'nonce')).toThrow(
      expect.objectContaining({ code: 'invalid_argument', reason: 'type' }),
    );
  }
});

test('bytes whose memory was transferred elsewhere are refused, and empty ones are not', () => {
  const identity = Identity.generate();
  const bytes = new Uint8Array(3);
  structuredClone(bytes, { transfer: [bytes.buffer] });
  expect(() => identity.sign(bytes)).toThrow(
    expect.objectContaining({ code: 'invalid_argument', reason: 'type' }),
  );
  expect(identity.sign(new Uint8Array(0))).toHaveLength(64);
});
