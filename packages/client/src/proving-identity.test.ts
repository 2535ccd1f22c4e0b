import { Identity, verifyProof } from '@esdb-gater/security';
import { afterEach, expect, test, vi } from 'vitest';
import { generateIdentity, identityOfKeys, proofOf } from './proving-identity.ts';

const GATEWAY = 'did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH';

afterEach(() => vi.unstubAllGlobals());

test('a generated identity proves its DID, by keys that do not leave the platform', async () => {
  const identity = await generateIdentity();
  const proof = await proofOf(identity, GATEWAY, 'nonce');
  expect(verifyProof(identity.did, GATEWAY, 'nonce', proof)).toBe(true);
  expect(verifyProof(identity.did, GATEWAY, 'other', proof)).toBe(false);
  expect(identity).not.toHaveProperty('publicKey');
});

test('without Ed25519 on the platform an implementation in JavaScript signs', async () => {
  vi.stubGlobal('crypto', { getRandomValues: crypto.getRandomValues.bind(crypto) });
  const identity = await generateIdentity();
  const proof = await proofOf(identity, GATEWAY, 'nonce');
  expect(verifyProof(identity.did, GATEWAY, 'nonce', proof)).toBe(true);
});

test('an Identity of the security package signs the same proof', async () => {
  const identity = Identity.generate();
  const proof = await proofOf(identity, GATEWAY, 'nonce');
  expect(verifyProof(identity.did, GATEWAY, 'nonce', proof)).toBe(true);
});

test('other keys, and an object that does not sign, are refused', async () => {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
  const keys = (await crypto.subtle.generateKey(algorithm, false, ['sign', 'verify'])) as Parameters<
    typeof identityOfKeys
  >[0];
  await expect(identityOfKeys(keys)).rejects.toMatchObject({ code: 'invalid_argument', reason: 'identity' });
  const mute = { did: GATEWAY } as Parameters<typeof proofOf>[0];
  await expect(proofOf(mute, GATEWAY, 'n')).rejects.toMatchObject({
    code: 'invalid_argument',
    reason: 'type',
  });
});
