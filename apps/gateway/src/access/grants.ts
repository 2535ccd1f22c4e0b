import type { Requirement } from '@esdb-gater/protocol';
import type { NameRange } from './name-ranges.ts';

/** A token that was verified for its presenter, with its grants. */
export interface VerifiedGrant {
  /** The token's id. */
  readonly cid: string;
  readonly audience: string;
  /** Unix seconds at which the first token of its chain ends. */
  readonly expiresAt: number;
  readonly att: readonly { readonly with: string; readonly can: string }[];
  /** @throws `unauthorized` when the token does not cover the requirement */
  demand(requirement: Requirement): void;
  /** Returns true when a grant covers the requirement. */
  allows(requirement: Requirement): boolean;
  /** Returns where in a list, the target, grants allow the action of the requirement; see `rangesBelow`. */
  below(requirement: Requirement): readonly NameRange[];
  /** Returns true when some grant names anything on the channel. */
  reachesChannel(channel: string): boolean;
  /** Returns true when the token, one of its ancestors or an issuer of its chain is revoked. */
  isRevoked(): boolean;
}

/** Verifies tokens for the gateway. */
export interface GrantVerifier {
  /**
   * Verifies a token for the gateway's own audiences and the DIDs that the presenter has `proved`.
   *
   * @throws `unauthorized` with its reason
   */
  verify(token: string, proved: readonly string[]): VerifiedGrant;
}
