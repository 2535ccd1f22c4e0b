import { decodeToken, verifyProof } from '@esdb-gater/security';
import { GaterError } from '@esdb-gater/types';
import type { GrantVerifier, VerifiedGrant } from './grants.ts';

/** What a connection presents to `authenticate`. */
interface Presented {
  readonly token: string;
  readonly proof?: string;
  /** The nonce of this connection's `hello`. */
  readonly nonce: string;
  /** The DIDs whose keys this connection has shown before. */
  readonly proved: readonly string[];
}

/** Authenticates tokens that come with a proof of their audience's key. */
export interface TokenAuthenticator {
  /**
   * The verified token, and all DIDs that the connection has proved by now.
   *
   * @throws `unauthorized`: the token's own fault first, then `wrong_audience` for a proof that is wrong
   */
  authenticate(presented: Presented): { readonly grant: VerifiedGrant; readonly proved: readonly string[] };
}

/** Most DIDs that one connection may prove; beyond it the oldest is forgotten. */
const MAX_PROVED = 16;

export function createTokenAuthenticator(gatewayDid: string, grants: GrantVerifier): TokenAuthenticator {
  return {
    authenticate({ token, proof, nonce, proved }) {
      if (proof === undefined) return { grant: grants.verify(token, proved), proved };
      const audience = claimedAudience(token);
      // As if the proof were good, so that the token's own faults are told as anywhere else.
      const grant = grants.verify(token, audience === undefined ? proved : [...proved, audience]);
      if (!verifyProof(grant.audience, gatewayDid, nonce, proof)) {
        throw new GaterError('unauthorized', "the proof was not made with the key of the token's audience", {
          details: { reason: 'wrong_audience' },
        });
      }
      const others = proved.filter((did) => did !== grant.audience);
      return { grant, proved: [...others, grant.audience].slice(-MAX_PROVED) };
    },
  };
}

/** What a token says whom it is for; nothing is proven by it. */
function claimedAudience(token: string): string | undefined {
  try {
    const { aud }: { readonly aud?: unknown } = decodeToken(token).claims ?? {};
    return typeof aud === 'string' ? aud : undefined;
  } catch {
    // Whoever verifies the token says what is wrong with it.
    return undefined;
  }
}
