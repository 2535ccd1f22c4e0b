import { proofChallenge } from '@esdb-gater/primitives';
import { fromBase64url, toBase64url } from '#platform';
import { wellFormedArgument } from '../arguments.ts';
import { parseDidKey } from '../did-key.ts';
import { ed25519Verify } from '../ed25519.ts';
import { type Identity, identityArgument } from '../identity.ts';

const SIGNATURE_UNITS = 86;

/**
 * Proves to a gateway that the caller holds the key of a token's audience. The proof is valid only on the connection
 * that received the nonce in `hello`.
 *
 * @param gatewayDid as in `hello`
 * @param nonce as in `hello`
 * @returns base64url, for `authenticate`
 * @throws `invalid_argument`, reason `type`
 */
export function createProof(identity: Identity, gatewayDid: string, nonce: string): string {
  wellFormedArgument(gatewayDid, 'the DID of the gateway');
  wellFormedArgument(nonce, 'the nonce');
  return toBase64url(identityArgument(identity, 'the identity').sign(proofChallenge(gatewayDid, nonce)));
}

/**
 * Returns true when `proof` was made with the key of `did` for this gateway and nonce; returns false for any other
 * value.
 */
export function verifyProof(did: string, gatewayDid: string, nonce: string, proof: unknown): boolean {
  if (typeof proof !== 'string' || proof.length !== SIGNATURE_UNITS) return false;
  const publicKey = parseDidKey(wellFormedArgument(did, 'the DID'));
  const signature = fromBase64url(proof);
  if (publicKey === undefined || signature === undefined) return false;
  return ed25519Verify(publicKey, proofChallenge(gatewayDid, nonce), signature);
}
