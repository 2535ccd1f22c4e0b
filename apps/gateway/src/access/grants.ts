import type { Requirement } from '@esdb-gater/protocol';
import type { NameRange } from './name-ranges.ts';

/** A token that was verified for whoever presented it, and what it allows. */
export interface VerifiedGrant {
  /** The token's id. */
  readonly cid: string;
  readonly audience: string;
  /** Unix seconds at which the first token of its chain ends. */
  readonly expiresAt: number;
  readonly att: readonly { readonly with: string; readonly can: string }[];
  /** @throws `unauthorized` when the token does not allow what the requirement asks */
  demand(requirement: Requirement): void;
  /** True when something covers the requirement. */
  allows(requirement: Requirement): boolean;
  /** The names of a list, the requirement's target, that grants allow its action on; see `rangesBelow`. */
  below(requirement: Requirement): readonly NameRange[];
  /** True when some grant speaks of anything on the channel. */
  reachesChannel(channel: string): boolean;
  /** True when the token, an ancestor of it or an issuer of its chain is revoked by now. */
  isRevoked(): boolean;
}

/** Verifies tokens for the gateway. */
export interface GrantVerifier {
  /**
   * `proved` are the DIDs whose keys the presenter has shown to hold, beside which the gateway's own audiences count.
   *
   * @throws `unauthorized` with its reason
   */
  verify(token: string, proved: readonly string[]): VerifiedGrant;
}
