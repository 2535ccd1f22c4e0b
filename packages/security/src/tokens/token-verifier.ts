import { type Clock, systemClock } from '@esdb-gater/types';
import type { IsRevoked, VerifiedToken } from './chain.ts';
import { verifyToken } from './verify-token.ts';

export interface TokenVerifierComponents {
  /** @default the system's */
  readonly clock?: Pick<Clock, 'now'>;
  /** @default no token is revoked */
  readonly isRevoked?: IsRevoked;
}

export interface TokenVerifierOptions {
  readonly trustedIssuers: readonly string[];
  /** The gateway's own DID and `security.audiences`. */
  readonly audiences: readonly string[];
}

export interface TokenVerifier {
  /**
   * @param provenDid the DID that the connection has proved by `verifyProof`, if any
   * @throws as `verifyToken`
   */
  verify(token: string, provenDid?: string): VerifiedToken;
}

/** Creates a `verifyToken` with the settings of a gateway. */
export function createTokenVerifier(
  components: TokenVerifierComponents,
  options: TokenVerifierOptions,
): TokenVerifier {
  const clock = components.clock ?? systemClock;
  const { isRevoked } = components;
  const trustedIssuers = Object.freeze([...options.trustedIssuers]);
  const audiences = Object.freeze([...options.audiences]);
  return Object.freeze({
    verify: (token: string, provenDid?: string): VerifiedToken =>
      verifyToken(token, {
        trustedIssuers,
        audience: provenDid === undefined ? audiences : [...audiences, provenDid],
        ...(isRevoked === undefined ? {} : { isRevoked }),
        now: clock.now() / 1000,
      }),
  });
}
