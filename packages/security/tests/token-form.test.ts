import { createHmac } from 'node:crypto';
import {
  createToken,
  decodeToken,
  identityToJson,
  isTokenId,
  tokenId,
  verifyToken,
} from '@esdb-gater/security';
import { CompactSign, compactVerify, importJWK, SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { alice, claimsOf, encode, forge, gateway, NOW, reasonOf, root } from './forge.ts';

const trust = { trustedIssuers: [root.did], audience: gateway.did, now: NOW };
const verdict = (token: string): string | undefined => reasonOf(() => verifyToken(token, trust));

describe('the header (T2)', () => {
  const secret = root.publicKey;
  const hs256 = (header: unknown): string => {
    const signed = `${encode(header)}.${encode(claimsOf())}`;
    return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
  };
  const good = { alg: 'EdDSA', typ: 'JWT', ucv: '0.9.1' };
  const forged: readonly (readonly [name: string, token: string])[] = [
    ['alg none without a signature', `${encode({ ...good, alg: 'none' })}.${encode(claimsOf())}.`],
    ['alg none with the signature', forge(claimsOf(), { header: { ...good, alg: 'none' } })],
    ['alg None', forge(claimsOf(), { header: { ...good, alg: 'None' } })],
    ['alg HS256 with the public key as the secret', hs256({ ...good, alg: 'HS256' })],
    ['alg EdDSA with an HMAC', hs256(good).replace(/\.[^.]*$/, `.${'A'.repeat(86)}`)],
    ['alg RS256', forge(claimsOf(), { header: { ...good, alg: 'RS256' } })],
    ['alg ES256', forge(claimsOf(), { header: { ...good, alg: 'ES256' } })],
    ['alg eddsa', forge(claimsOf(), { header: { ...good, alg: 'eddsa' } })],
    ['alg as a list', forge(claimsOf(), { header: { ...good, alg: ['EdDSA'] } })],
    ['no alg', forge(claimsOf(), { header: { typ: 'JWT', ucv: '0.9.1' } })],
    ['kid', forge(claimsOf(), { header: { ...good, kid: '../../dev/null' } })],
    ['jwk', forge(claimsOf(), { header: { ...good, jwk: { kty: 'OKP', crv: 'Ed25519', x: 'AAAA' } } })],
    ['jku', forge(claimsOf(), { header: { ...good, jku: 'https://evil.example/jwks.json' } })],
    ['x5u', forge(claimsOf(), { header: { ...good, x5u: 'https://evil.example/cert' } })],
    ['crit', forge(claimsOf(), { header: { ...good, crit: ['exp'] } })],
    ['b64', forge(claimsOf(), { header: { ...good, b64: false, crit: ['b64'] } })],
    ['typ jwt', forge(claimsOf(), { header: { ...good, typ: 'jwt' } })],
    ['no typ', forge(claimsOf(), { header: { alg: 'EdDSA', ucv: '0.9.1' } })],
    ['ucv of another version', forge(claimsOf(), { header: { ...good, ucv: '0.10.0' } })],
    ['cty', forge(claimsOf(), { header: { ...good, cty: 'JWT' } })],
    ['alg twice', forge(claimsOf(), { header: '{"alg":"none","typ":"JWT","ucv":"0.9.1","alg":"EdDSA"}' })],
    ['__proto__', forge(claimsOf(), { header: '{"typ":"JWT","ucv":"0.9.1","__proto__":{"alg":"EdDSA"}}' })],
    ['a list', forge(claimsOf(), { header: [good] })],
    ['null', forge(claimsOf(), { header: 'null' })],
  ];

  test.each(forged)('is refused: %s', (name, token) => {
    expect(verdict(token)).toBe(name === 'alg EdDSA with an HMAC' ? 'invalid_signature' : 'parse_error');
  });

  test('is accepted in any order of its members', () => {
    expect(
      verdict(forge(claimsOf(), { header: { ucv: '0.9.1', typ: 'JWT', alg: 'EdDSA' } })),
    ).toBeUndefined();
  });
});

describe('the claims', () => {
  const wrong: readonly (readonly [name: string, change: Record<string, unknown>])[] = [
    ['another member', { sub: 'x' }],
    ['an issuer that is not a did:key', { iss: 'did:web:example.com' }],
    ['an issuer with a fragment', { iss: `${root.did}#x` }],
    ['an issuer in a list', { iss: [root.did] }],
    ['an audience that is a list', { aud: [gateway.did] }],
    ['an audience that is *', { aud: '*' }],
    ['exp as a text', { exp: String(NOW + 900) }],
    ['exp with a fraction', { exp: NOW + 900.5 }],
    ['exp without end', { exp: 1e300 }],
    ['exp null', { exp: null }],
    ['iat negative', { iat: -1, exp: 100 }],
    ['nbf null', { nbf: null }],
    ['nbf as a text', { nbf: '0' }],
    ['a lifetime of 59 s', { exp: NOW + 59 }],
    ['a lifetime of 86 401 s', { exp: NOW + 86_401 }],
    ['a negative lifetime', { exp: NOW - 900 }],
    ['a short nonce', { nnc: 'AAAAAAAAAAAAAAA' }],
    ['a nonce that is not base64url', { nnc: '++++++++++++++++' }],
    ['no grants', { att: [] }],
    ['33 grants', { att: Array(33).fill({ with: '*', can: '*' }) }],
    ['grants as an object', { att: { with: '*', can: '*' } }],
    ['a grant with a third member', { att: [{ with: '*', can: '*', nb: {} }] }],
    ['a grant without can', { att: [{ with: '*' }] }],
    ['a grant whose action is a list', { att: [{ with: '*', can: ['*'] }] }],
    ['facts in a list', { fct: [] }],
    ['facts null', { fct: null }],
    ['proofs as a text', { prf: 'x' }],
    ['proofs that are not strings', { prf: [1] }],
    ['five proofs', { prf: Array(5).fill('x') }],
  ];

  test.each(wrong)('are refused: %s', (_, change) => {
    expect(verdict(forge(claimsOf(change)))).toBe('parse_error');
  });

  test.each(['iss', 'aud', 'iat', 'exp', 'nnc', 'att', 'prf'])('are refused without %s', (name) => {
    const { [name]: _, ...rest } = claimsOf();
    expect(verdict(forge(rest))).toBe('parse_error');
  });

  test('are refused with a duplicate name, or when they are not an object', () => {
    const twice = JSON.stringify(claimsOf()).replace('{', `{"exp":${NOW + 86_000},`);
    for (const claims of [twice, 'null', '[]', '"x"', '1', '', '{', `\ufeff${JSON.stringify(claimsOf())}`]) {
      expect(verdict(forge(claims))).toBe('parse_error');
    }
  });

  test('may have a lifetime of 60 s to a day; never again: the maximum lifetime is not enforced', () => {
    expect(verdict(forge(claimsOf({ exp: NOW + 60 })))).toBeUndefined();
    expect(verdict(forge(claimsOf({ exp: NOW + 86_400 })))).toBeUndefined();
    expect(verdict(forge(claimsOf({ iat: NOW - 50, exp: NOW - 50 + 86_401 })))).toBe('parse_error');
    for (const lifetimeSeconds of [59, 86_401, 90.5, Number.NaN, Number.POSITIVE_INFINITY, '900']) {
      const options = { issuer: root, audience: gateway.did, att: [{ with: '*', can: '*' }] };
      expect(() => createToken({ ...options, lifetimeSeconds: lifetimeSeconds as number })).toThrow(
        expect.objectContaining({ code: 'invalid_argument', reason: 'range' }),
      );
    }
  });

  test('may have 32 grants, four proofs, and a nonce of 12 bytes or more', () => {
    const grant = { with: '*', can: '*' };
    expect(verdict(forge(claimsOf({ att: Array(32).fill(grant) })))).toBeUndefined();
    expect(verdict(forge(claimsOf({ nnc: 'A'.repeat(32) })))).toBeUndefined();
    const parent = (): string => forge(claimsOf({ aud: root.did, att: [grant] }));
    const prf = Array.from({ length: 4 }, parent);
    expect(verdict(forge(claimsOf({ prf })))).toBeUndefined();
  });

  test('may begin at 0 of Unix time, and their facts are frozen to the last level', () => {
    const token = forge(claimsOf({ iat: 0, nbf: 0, exp: 60, fct: { list: [{ deep: [1] }] } }));
    const { fct, notBefore } = verifyToken(token, { ...trust, now: 30 });
    expect(notBefore).toBe(0);
    const [first] = (fct as { list: [{ deep: number[] }] }).list;
    expect([Object.isFrozen(fct), Object.isFrozen(first), Object.isFrozen(first.deep)]).toEqual(
      Array(3).fill(true),
    );
  });

  test('name their grants in normal form only', () => {
    expect(verdict(forge(claimsOf({ att: [{ with: 'esdb://default/stream/a/%2e%2e', can: '*' }] })))).toBe(
      'invalid_resource',
    );
    expect(verdict(forge(claimsOf({ att: [{ with: '*', can: 'stream' }] })))).toBe('invalid_action');
  });
});

describe('the compact form', () => {
  const token = forge();
  const [header = '', claims = '', signature = ''] = token.split('.');

  test('is refused when it is anything but three parts of canonical base64url', () => {
    const mutations = [
      '',
      '.',
      '..',
      header,
      `${header}.${claims}`,
      `${header}.${claims}.`,
      `${token}.`,
      `.${token}`,
      `${token}.${signature}`,
      `${header}..${signature}`,
      `${token}=`,
      `${token}==`,
      ` ${token}`,
      `${token}\n`,
      `${header}=.${claims}.${signature}`,
      `${header}.${claims.slice(0, 5)} ${claims.slice(5)}.${signature}`,
      `${header}.${claims}.${signature.replace(/.$/, 'B')}`,
      `${header}.${claims}.+${signature.slice(1)}`,
      `${header}.${claims}.${signature.slice(0, -1)}é`,
      'a.b.c',
      '\u0000.\u0000.\u0000',
    ];
    for (const text of mutations) expect(verdict(text)).toBe('parse_error');
  });

  test('is refused when its signature is cut, or of another token', () => {
    expect(verdict(`${header}.${claims}.${signature.slice(0, 40)}`)).toBe('invalid_signature');
    expect(verdict(`${header}.${claims}.${forge(claimsOf({ iat: NOW - 1 })).split('.')[2]}`)).toBe(
      'invalid_signature',
    );
    expect(verdict(forge(claimsOf(), { by: alice }))).toBe('invalid_signature');
  });

  test('never again: a small token that makes the decoder allocate 200 MB', () => {
    expect(verdict('.'.repeat(16_384))).toBe('parse_error');
    expect(verdict(forge('['.repeat(8_000)))).toBe('parse_error');
    expect(verdict('x'.repeat(16_385))).toBe('too_large');
    expect(verdict('x'.repeat(50_000_000))).toBe('too_large');
    const did = `did:key:z${'z'.repeat(10_000)}`;
    expect(verdict(forge(claimsOf({ iss: did })))).toBe('parse_error');
  });

  test('may have 16 384 characters, and not one more', () => {
    // With a blank in the header, as base64url has no texts of every length.
    const header = '{"alg":"EdDSA", "typ":"JWT","ucv":"0.9.1"}';
    const sized = (length: number): string =>
      forge(claimsOf({ fct: { text: 'x'.repeat(length) } }), { header });
    let length = 16_384 - sized(0).length;
    length = Math.floor((length * 3) / 4) - 4;
    while (sized(length + 1).length <= 16_384) length++;
    expect(sized(length).length).toBe(16_384);
    expect(verdict(sized(length))).toBeUndefined();
    expect(verdict(sized(length + 1))).toBe('too_large');
  });

  test('is refused as an argument when it is not a string', () => {
    for (const wrong of [undefined, null, 1, {}, [token], Buffer.from(token)]) {
      expect(reasonOf(() => verifyToken(wrong as string, trust))).toBe('invalid_argument/type');
    }
  });
});

describe('other JWT libraries', () => {
  test('never again: a signature that no JWT library can check (jose verifies ours)', async () => {
    const token = createToken({
      issuer: root,
      audience: gateway.did,
      att: [{ with: '*', can: 'stream/*' }],
      now: NOW,
    });
    const { kty, crv, x } = identityToJson(root);
    const { payload, protectedHeader } = await compactVerify(
      token,
      await importJWK({ kty, crv, x }, 'EdDSA'),
    );
    expect(protectedHeader).toEqual({ alg: 'EdDSA', typ: 'JWT', ucv: '0.9.1' });
    expect(JSON.parse(new TextDecoder().decode(payload))).toMatchObject({
      iss: root.did,
      aud: gateway.did,
      prf: [],
    });
  });

  test('make tokens that verify here', async () => {
    const { kty, crv, x, d } = identityToJson(root);
    const key = await importJWK({ kty, crv, x, d }, 'EdDSA');
    const token = await new SignJWT(claimsOf())
      .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT', ucv: '0.9.1' })
      .sign(key);
    expect(verifyToken(token, trust)).toMatchObject({
      issuer: root.did,
      audience: gateway.did,
      expiresAt: NOW + 900,
    });
    const plain = await new CompactSign(Buffer.from(JSON.stringify(claimsOf())))
      .setProtectedHeader({ alg: 'EdDSA' })
      .sign(key);
    expect(verdict(plain)).toBe('parse_error');
  });
});

describe('tokenId', () => {
  test('is the CIDv1, raw, sha2-256, base32', () => {
    // From Python: "b" + base64.b32encode(bytes([1, 0x55, 0x12, 0x20]) + sha256(b"hello world").digest()).
    expect(tokenId('hello world')).toBe('bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e');
    expect(isTokenId(tokenId(forge()))).toBe(true);
    for (const wrong of ['', 'bafkrei', tokenId('x').toUpperCase(), `${tokenId('x')}a`, 1, null]) {
      expect(isTokenId(wrong)).toBe(false);
    }
  });
});

describe('decodeToken', () => {
  test('shows a chain without judging it', () => {
    const parent = forge(claimsOf({ aud: alice.did }));
    const child = forge(claimsOf({ iss: alice.did, prf: [parent], sub: 'x' }), { by: root });
    const decoded = decodeToken(child);
    expect(decoded).toMatchObject({
      id: tokenId(child),
      header: { alg: 'EdDSA' },
      claims: { iss: alice.did },
      problem: expect.stringContaining('claim'),
      parents: [{ id: tokenId(parent), claims: { iss: root.did }, parents: [] }],
    });
    expect(decoded.parents[0]).not.toHaveProperty('problem');
    expect(decoded.claims).not.toHaveProperty('prf');
  });

  test('shows at most eight levels, and of each the first four parents that are texts', () => {
    let token = forge(claimsOf({ prf: [] }));
    // Times of few digits: ten levels fit into 16 KiB only so.
    const short = { aud: 'x', iat: 0, exp: 60, nnc: '', att: [] };
    for (let level = 0; level < 9; level++) token = forge({ ...short, prf: [token] });
    let levels = 0;
    for (
      let at: { parents: readonly unknown[] } | undefined = decodeToken(token);
      at !== undefined;
      levels++
    ) {
      at = at.parents[0] as typeof at;
    }
    expect(levels).toBe(8);
    const one = forge(short);
    const parents = decodeToken(forge({ ...short, prf: [one, 1, one, null, one, one] })).parents;
    expect(parents.map(({ id }) => id)).toEqual([tokenId(one), tokenId(one)]);
    expect(decodeToken(forge('[1]'))).toMatchObject({ claims: [1], parents: [] });
    expect(decodeToken(forge({ prf: 'x' })).parents).toEqual([]);
  });

  test('refuses a token that cannot be decoded', () => {
    expect(reasonOf(() => decodeToken(7 as never))).toBe('invalid_argument/type');
    expect(reasonOf(() => decodeToken('x'))).toBe('parse_error');
    expect(reasonOf(() => decodeToken('x'.repeat(20_000)))).toBe('too_large');
  });
});
