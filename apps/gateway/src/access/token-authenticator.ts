import { decodeToken, verifyProof } from '@esdb-gater/security';
import { GaterError } from '@esdb-gater/types';
import type { GrantVerifier, VerifiedGrant } from './grants.ts';

/** The parameters of `authenticate` and the state of the connection. */
interface Presented {
  readonly token: string;
  readonly proof?: string;
  /** The nonce of this connection's `hello`. */
  readonly nonce: string;
  /** The DIDs whose keys this connection has proved before. */
  readonly proved: readonly string[];
}

/** Authenticates tokens that come with a proof of their audience's key. */
export interface TokenAuthenticator {
  /**
   * Returns the verified token, and all DIDs that the connection has proved.
   *
   * @throws `unauthorized`: for the token first, then `wrong_audience` for a wrong proof
   */
  authenticate(presented: Presented): { readonly grant: VerifiedGrant; readonly proved: readonly string[] };
}

/** The most DIDs that a connection remembers as proved; beyond it the oldest is forgotten. */
const MAX_PROVED = 16;

export function createTokenAuthenticator(gatewayDid: string, grants: GrantVerifier): TokenAuthenticator {
  return {
    authenticate({ token, proof, nonce, proved }) {
      if (proof === undefined) return { grant: grants.verify(token, proved), proved };
      const audience = claimedAudience(token);
      // The token is checked first, as if the proof were valid, so that its errors are the same as anywhere else.
      const grant = grants.verify(token, audience === undefined ? proved : [...proved, audience]);
      if (!verifyProof(grant.audience, gatewayDid, nonce, proof)) {
        throw new GaterError('unauthorized', "the proof must be made with the key of the token's audience", {
          details: { reason: 'wrong_audience' },
        });
      }
      const others = proved.filter((did) => did !== grant.audience);
      return { grant, proved: [...others, grant.audience].slice(-MAX_PROVED) };
    },
  };
}

/** Returns the audience that an unverified token claims. */
function claimedAudience(token: string): string | undefined {
  try {
    const { aud }: { readonly aud?: unknown } = decodeToken(token).claims ?? {};
    return typeof aud === 'string' ? aud : undefined;
  } catch {
    // The verification that follows reports the problem of the token.
    return undefined;
  }
}
