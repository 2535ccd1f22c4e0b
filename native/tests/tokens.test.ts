import { CompactSign, importJWK } from 'jose';
import { expect, test } from 'vitest';
import { describeAddon, type Native } from './addon.ts';

const seedOf = (n: number): Uint8Array => new Uint8Array(32).fill(n);

function didOf(native: Native, seed: Uint8Array): string {
  return `did:key:z${native.base58Encode(Uint8Array.of(0xed, 1, ...native.ed25519PublicKey(seed)))}`;
}

function tokenOf(native: Native, seed: Uint8Array, claims: object = { iss: didOf(native, seed) }): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'EdDSA', typ: 'JWT' })}.${part(claims)}`;
  const signature = native.ed25519Sign(seed, new TextEncoder().encode(signed));
  return `${signed}.${Buffer.from(signature).toString('base64url')}`;
}

describeAddon('token signatures', (native) => {
  const [seed, other] = [seedOf(1), seedOf(2)];

  test('are valid only for their issuer', () => {
    const jwt = tokenOf(native, seed);
    expect(native.verifyToken(jwt, didOf(native, seed))).toBe(true);
    expect(native.verifyToken(jwt, didOf(native, other))).toBe(false);
  });

  test('made by jose are verified', async () => {
    const part = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
    const jwk = { kty: 'OKP', crv: 'Ed25519', d: part(seed), x: part(native.ed25519PublicKey(seed)) };
    const jwt = await new CompactSign(new TextEncoder().encode('{"iss":"did:key:z6Mk"}'))
      .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT' })
      .sign(await importJWK(jwk, 'EdDSA'));
    expect(native.verifyToken(jwt, didOf(native, seed))).toBe(true);
  });

  test('with any character changed are refused', () => {
    const [jwt, did] = [tokenOf(native, seed), didOf(native, seed)];
    for (let i = 0; i < jwt.length; i++) {
      const changed = `${jwt.slice(0, i)}${jwt[i] === 'A' ? 'B' : 'A'}${jwt.slice(i + 1)}`;
      expect(native.verifyToken(changed, did)).toBe(false);
    }
  });

  test('of a chain give -1, or the index of the first that does not fit', () => {
    const seeds = [1, 2, 3].map(seedOf);
    const [jwts, dids] = [seeds.map((one) => tokenOf(native, one)), seeds.map((one) => didOf(native, one))];
    expect(native.verifyTokenChain([], [])).toBe(-1);
    expect(native.verifyTokenChain(jwts, dids)).toBe(-1);
    for (let wrong = 0; wrong < 3; wrong++) {
      const issuers = dids.map((did, i) => (i === wrong ? didOf(native, seedOf(9)) : did));
      expect(native.verifyTokenChain(jwts, issuers)).toBe(wrong);
    }
    expect(() => native.verifyTokenChain(jwts, dids.slice(1))).toThrow(RangeError);
  });

  test('are false, not errors, for invalid tokens and other DIDs', () => {
    const [jwt, did] = [tokenOf(native, seed), didOf(native, seed)];
    for (const wrong of [
      '',
      '.',
      '..',
      'a.b',
      `${jwt}.`,
      `${jwt}.${jwt}`,
      `${jwt}=`,
      `${jwt}é`,
      'x'.repeat(100_000),
    ]) {
      expect(native.verifyToken(wrong, did)).toBe(false);
    }
    for (const wrong of [
      '',
      'did:key:z',
      'did:web:example.com',
      `${did}1`,
      did.slice(0, -1),
      did.replace('z6', 'z7'),
    ]) {
      expect(native.verifyToken(jwt, wrong)).toBe(false);
    }
  });

  test('of a token of 16 KiB are verified, of a longer one refused', () => {
    const did = didOf(native, seed);
    const sized = (size: number): string =>
      tokenOf(native, seed, { iss: did, fct: { filler: 'x'.repeat(size) } });
    expect(sized(12_100).length).toBeLessThanOrEqual(16_384);
    expect(native.verifyToken(sized(12_100), did)).toBe(true);
    expect(sized(12_300).length).toBeGreaterThan(16_384);
    expect(native.verifyToken(sized(12_300), did)).toBe(false);
  });
});
