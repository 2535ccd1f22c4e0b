import { type PeerIdentity, type PeerProof, peerProofText } from '@esdb-gater/protocol';
import { createSecretRing, type Secrets } from '@esdb-gater/security';

/** Proves this node to others, and verifies their proofs. */
export interface PeerProofs {
  /** @param nonce the one that the other side has chosen */
  prove(self: PeerIdentity, nonce: string): PeerProof;
  /** @param nonce the one that this side has chosen */
  verify(proof: PeerProof, nonce: string): boolean;
}

/** Whole canonical base64url of 32 bytes. */
const SIGNATURE = /^[A-Za-z0-9_-]{43}$/;

/**
 * Creates the proofs of a cluster: the first secret signs and all verify, so that a secret is changed without a pause,
 * when the new one is first added behind the old one on every node.
 *
 * @throws `invalid_argument`, reason `secret`
 */
export function createPeerProofs(secrets: Secrets): PeerProofs {
  const ring = createSecretRing(secrets);
  return {
    prove({ nodeId, incarnation, url }, nonce) {
      const { signature } = ring.sign(peerProofText(nonce, nodeId, incarnation));
      return { nodeId, incarnation, url, proof: signature };
    },
    verify({ nodeId, incarnation, proof }, nonce) {
      if (!SIGNATURE.test(proof)) return false;
      const text = peerProofText(nonce, nodeId, incarnation);
      return ring.keyIds.filter((keyId) => ring.verify(keyId, text, proof)).length > 0;
    },
  };
}
