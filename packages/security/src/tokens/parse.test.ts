import { ed25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { afterEach, describe, expect, test } from 'vitest';
import { replaceEngine } from '../engine/select.ts';
import { Identity } from '../identity.ts';
import { typescriptEngine as browserEngine } from '../platform/browser.ts';
import { typescriptEngine as nodeEngine } from '../platform/node.ts';
import { createToken } from './create-token.ts';
import { checkTokenSignature, parseToken } from './parse.ts';
import { createRevocation, verifyRevocation } from './revocation.ts';

const seed = new Uint8Array(32).fill(7);

afterEach(() => replaceEngine(undefined));

/** The token signed again by its issuer with the neutral element as R and S = k·a: S·B is R + k·A. */
function oddlySigned(token: string): string {
  const signed = token.slice(0, token.lastIndexOf('.'));
  const data = Buffer.from(signed);
  const { scalar, pointBytes } = ed25519.utils.getExtendedPublicKey(seed);
  const r = Uint8Array.of(1, ...new Uint8Array(31));
  const hash = sha512(Uint8Array.of(...r, ...pointBytes, ...data));
  const { Fn } = ed25519.Point;
  const challenge = Fn.create(BigInt(`0x${Buffer.from(hash.toReversed()).toString('hex')}`));
  const odd = Uint8Array.of(...r, ...Fn.toBytes(Fn.mul(challenge, Fn.create(scalar))));
  // A library that checks only the equation accepts it.
  expect(ed25519.verify(odd, data, pointBytes, { zip215: true })).toBe(true);
  return `${signed}.${Buffer.from(odd).toString('base64url')}`;
}

describe.each([
  ['node', nodeEngine],
  ['browser', browserEngine],
])('the signature of a token, with the engine of %s', (_, engine) => {
  test('is good, and not with a point of small order, of which libraries think differently', () => {
    replaceEngine(engine);
    const issuer = Identity.fromSeed(seed);
    const token = createToken({ issuer, audience: issuer.did, att: [{ with: '*', can: '*' }] });
    expect(() => checkTokenSignature(parseToken(token))).not.toThrow();
    expect(() => checkTokenSignature(parseToken(oddlySigned(token)))).toThrow(
      expect.objectContaining({ code: 'unauthorized', reason: 'invalid_signature' }),
    );
  });

  test('has exactly 64 bytes: with others behind it the same token would have another id', () => {
    replaceEngine(engine);
    const issuer = Identity.fromSeed(seed);
    const token = createToken({ issuer, audience: issuer.did, att: [{ with: '*', can: '*' }] });
    const dot = token.lastIndexOf('.') + 1;
    const signature = Buffer.from(token.slice(dot), 'base64url');
    for (const other of [
      Buffer.concat([signature, Buffer.of(0)]),
      Buffer.concat([signature, signature]),
      Buffer.concat([Buffer.of(0), signature]),
      signature.subarray(0, 63),
    ]) {
      const text = token.slice(0, dot) + other.toString('base64url');
      expect(() => checkTokenSignature(parseToken(text))).toThrow(
        expect.objectContaining({ code: 'unauthorized', reason: 'invalid_signature' }),
      );
    }
  });

  test('of a revocation has exactly 64 bytes, too', () => {
    replaceEngine(engine);
    const issuer = Identity.fromSeed(seed);
    const revocation = createRevocation(issuer, { iss: issuer.did });
    expect(verifyRevocation(revocation).subject).toBe(issuer.did);
    const signature = Buffer.from(revocation.proof, 'base64url');
    for (const other of [Buffer.concat([signature, Buffer.of(0)]), signature.subarray(0, 63)]) {
      expect(() => verifyRevocation({ ...revocation, proof: other.toString('base64url') })).toThrow(
        expect.objectContaining({ code: 'unauthorized', reason: 'invalid_signature' }),
      );
    }
  });
});
