import {
  authorize,
  coversAction,
  createTokenVerifier,
  isGranted,
  isTokenRevoked,
  type TokenVerifier,
  type VerifiedToken,
} from '@esdb-gater/security';
import type { Clock } from '@esdb-gater/types';
import type { GrantVerifier, VerifiedGrant } from './grants.ts';
import type { KnownIssuers } from './known-issuers.ts';
import { rangesBelow } from './name-ranges.ts';
import { channelPrefix, resourceOf } from './resources.ts';
import type { Revocations } from './revocations.ts';

export interface GrantVerifierComponents {
  readonly clock: Clock;
  readonly revocations: Pick<Revocations, 'isRevoked'>;
  readonly issuers: Pick<KnownIssuers, 'note'>;
}

export interface GrantVerifierOptions {
  readonly realm: string;
  readonly trustedIssuers: readonly string[];
  /** The gateway's own DID and `security.audiences`. */
  readonly audiences: readonly string[];
}

/** Creates the verifier of tokens for the resources of this realm. */
export function createGrantVerifier(
  { clock, revocations, issuers }: GrantVerifierComponents,
  { realm, trustedIssuers, audiences }: GrantVerifierOptions,
): GrantVerifier {
  const { isRevoked } = revocations;
  const verifierFor = (proved: readonly string[]): TokenVerifier =>
    createTokenVerifier({ clock, isRevoked }, { trustedIssuers, audiences: [...audiences, ...proved] });
  const own = verifierFor([]);

  function grantOf(token: VerifiedToken): VerifiedGrant {
    return {
      cid: token.id,
      audience: token.audience,
      expiresAt: token.expiresAt,
      att: token.att,
      demand: ({ action, target }) => authorize(token, resourceOf(realm, target), action),
      allows: ({ action, target }) => isGranted(token.att, resourceOf(realm, target), action),
      below({ action, target }) {
        const resources = token.att.filter(({ can }) => coversAction(can, action)).map((grant) => grant.with);
        return rangesBelow(resources, resourceOf(realm, target).slice(0, -1));
      },
      reachesChannel(channel) {
        const prefix = channelPrefix(realm, channel);
        return token.att.some(({ with: resource, can }) => mayChannel(can) && reaches(resource, prefix));
      },
      isRevoked: () => isTokenRevoked(token, isRevoked),
    };
  }

  return {
    verify(token, proved) {
      const verified = (proved.length === 0 ? own : verifierFor(proved)).verify(token);
      issuers.note(verified);
      return grantOf(verified);
    },
  };
}

/** Returns true for an action on channels, or one that covers such an action. */
function mayChannel(can: string): boolean {
  return can === '*' || can.startsWith('channel/');
}

/** Returns true when a grant's resource overlaps the names that begin with `prefix`. */
function reaches(resource: string, prefix: string): boolean {
  return resource.startsWith(prefix) || (resource.endsWith('*') && prefix.startsWith(resource.slice(0, -1)));
}
