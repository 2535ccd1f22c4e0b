import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { didKey } from '@esdb-gater/security';
import { CompactSign, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestGateway } from '../support/in-process.ts';
import { type RawClient, rawConnect } from '../support/raw-client.ts';
import { base64url, claimsFor, everyDoor, forge, root, startGuarded } from './support.ts';

let gateway: TestGateway;
let client: RawClient;
/** Where forged headers point to. Whoever connects is counted. */
let lure: Server;
let lured = 0;
let lureUrl: string;

beforeAll(async () => {
  lure = createServer((_request, response) => response.end('{"keys":[]}'));
  lure.on('connection', () => lured++);
  lure.listen(0, '127.0.0.1');
  await once(lure, 'listening');
  lureUrl = `http://127.0.0.1:${(lure.address() as AddressInfo).port}`;
  gateway = await startGuarded();
  client = await rawConnect(gateway.url);
});
afterAll(async () => {
  await gateway.close();
  lure.close();
});

const GOOD = { alg: 'EdDSA', typ: 'JWT', ucv: '0.9.1' };

/** Signed with the root's public key as if it were a secret. */
function hs256(header: unknown, secret: string | Uint8Array): string {
  const signed = `${base64url(header)}.${base64url(claimsFor(gateway.did))}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

const withHeader = (change: object): string =>
  forge(claimsFor(gateway.did), { header: { ...GOOD, ...change } });

const FORGED: readonly (readonly [name: string, make: () => string])[] = [
  [
    'alg none, no signature',
    () => `${base64url({ ...GOOD, alg: 'none' })}.${base64url(claimsFor(gateway.did))}.`,
  ],
  ['alg none, a good signature', () => withHeader({ alg: 'none' })],
  ['alg NONE', () => withHeader({ alg: 'NONE' })],
  ['alg HS256 with the public key as the secret', () => hs256({ ...GOOD, alg: 'HS256' }, root.publicKey)],
  ['alg HS256 with the DID as the secret', () => hs256({ ...GOOD, alg: 'HS256' }, root.did)],
  ['alg RS256', () => withHeader({ alg: 'RS256' })],
  ['alg Ed25519 (RFC 9864)', () => withHeader({ alg: 'Ed25519' })],
  ['alg as a list', () => withHeader({ alg: ['EdDSA', 'none'] })],
  [
    'alg twice',
    () => forge(claimsFor(gateway.did), { header: '{"alg":"none","typ":"JWT","ucv":"0.9.1","alg":"EdDSA"}' }),
  ],
  [
    'alg in a prototype',
    () =>
      forge(claimsFor(gateway.did), { header: '{"typ":"JWT","ucv":"0.9.1","__proto__":{"alg":"EdDSA"}}' }),
  ],
  ['kid', () => withHeader({ kid: '../../../dev/null' })],
  ['kid as an injection', () => withHeader({ kid: "x' UNION SELECT 'key" })],
  ['jwk', () => withHeader({ jwk: { kty: 'OKP', crv: 'Ed25519', x: base64url('a'.repeat(32)) } })],
  ['jku', () => withHeader({ jku: `${lureUrl}/jwks.json` })],
  ['x5u', () => withHeader({ x5u: `${lureUrl}/cert.pem` })],
  ['x5c', () => withHeader({ x5c: ['MIIB'] })],
  ['crit', () => withHeader({ crit: ['exp'] })],
  ['b64', () => withHeader({ b64: false, crit: ['b64'] })],
  ['zip', () => withHeader({ zip: 'DEF' })],
  ['cty JWT', () => withHeader({ cty: 'JWT' })],
  ['typ at+jwt', () => withHeader({ typ: 'at+jwt' })],
  ['ucv of another version', () => withHeader({ ucv: '0.10.0' })],
  ['no ucv', () => forge(claimsFor(gateway.did), { header: { alg: 'EdDSA', typ: 'JWT' } })],
  [
    'an issuer that would have to be fetched',
    () => forge(claimsFor(gateway.did, { iss: 'did:web:127.0.0.1' })),
  ],
  ['an issuer with a fragment', () => forge(claimsFor(gateway.did, { iss: `${root.did}#keys-1` }))],
];

const REFUSED = Array(4).fill('unauthorized/parse_error') as string[];

describe('T2: algorithm confusion, `none`, HS256 with the public key, `kid`, `jwk`, `jku`', () => {
  test.each(FORGED)('a header is pinned: %s is refused at every way in', async (_, make) => {
    const answers = await everyDoor(gateway, client, make());
    expect(answers).toEqual(REFUSED);
  });

  test('the header as it must be, in any order, is accepted', async () => {
    const header = { ucv: '0.9.1', alg: 'EdDSA', typ: 'JWT' };
    expect(await everyDoor(gateway, client, forge(claimsFor(gateway.did), { header }))).toEqual(
      Array(4).fill('ok'),
    );
  });

  test('tokens that jose makes with other algorithms are refused', async () => {
    for (const alg of ['ES256', 'PS256', 'RS256', 'ES512']) {
      const { privateKey } = await generateKeyPair(alg, { extractable: true });
      const token = await new CompactSign(Buffer.from(JSON.stringify(claimsFor(gateway.did))))
        .setProtectedHeader({ ...GOOD, alg })
        .sign(privateKey);
      expect(await everyDoor(gateway, client, token), alg).toEqual(REFUSED);
    }
    const secret = Buffer.from(root.did);
    const hmac = await new SignJWT(claimsFor(gateway.did))
      .setProtectedHeader({ ...GOOD, alg: 'HS256' })
      .sign(secret);
    expect(await everyDoor(gateway, client, hmac)).toEqual(REFUSED);
  });

  test('a key that comes along in the header is not believed, though the signature fits it', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const signed = `${base64url({ ...GOOD, jwk: await exportJWK(publicKey) })}.${base64url(claimsFor(gateway.did))}`;
    const token = `${signed}.${sign(null, Buffer.from(signed), privateKey).toString('base64url')}`;
    expect(await everyDoor(gateway, client, token)).toEqual(REFUSED);
  });

  test('an issuer with a did:key of another key type, or a non-canonical one, is refused', async () => {
    const issuers = [
      'did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme',
      'did:key:z6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc',
      root.did.replace('did:key:z', 'did:key:z1'),
      root.did.toUpperCase(),
      `${root.did} `,
      didKey.encode(root.publicKey).slice(0, -1),
    ];
    for (const iss of issuers) {
      expect(await everyDoor(gateway, client, forge(claimsFor(gateway.did, { iss }))), iss).toEqual(REFUSED);
    }
  });

  test('a signature of other bytes, of none, or longer is refused', async () => {
    const [header, claims, signature = ''] = forge(claimsFor(gateway.did)).split('.');
    const flipped = Buffer.from(signature, 'base64url');
    flipped[10] = (flipped[10] ?? 0) ^ 1;
    const variants: readonly (readonly [string, string])[] = [
      [`${header}.${claims}.${flipped.toString('base64url')}`, 'invalid_signature'],
      [`${header}.${claims}.${'A'.repeat(86)}`, 'invalid_signature'],
      [`${header}.${claims}`, 'parse_error'],
      [`${header}.${claims}.${signature}.${signature}`, 'parse_error'],
      [`${header}.${claims}.${signature}==`, 'parse_error'],
      [`${header}.${claims}.${signature.slice(0, -2)}`, 'invalid_signature'],
    ];
    for (const [token, reason] of variants) {
      expect(await everyDoor(gateway, client, token), token.slice(-20)).toEqual(
        Array(4).fill(`unauthorized/${reason}`),
      );
    }
  });

  test('no URL in a header or an issuer was fetched [T20]', () => {
    expect(lured).toBe(0);
  });
});
