import type { VerifiedToken } from '@esdb-gater/security';

/** Remembers the DIDs that tokens of trusted roots name: as issuers, or as audiences, who may delegate further. */
export interface KnownIssuers {
  /** Remembers the DIDs of a verified token. */
  note(token: VerifiedToken): void;
  has(did: string): boolean;
}

/** The most DIDs to remember; beyond it the one seen first is forgotten, and is a stranger again. */
const MAX_KNOWN = 20_000;

export function createKnownIssuers(): KnownIssuers {
  const known = new Set<string>();
  /** Most callers use the same token as in their last call. */
  const noted = new WeakSet<VerifiedToken>();
  return {
    note(token) {
      if (noted.has(token)) return;
      noted.add(token);
      for (const did of [token.audience, ...token.chain.map(({ issuer }) => issuer)]) {
        known.delete(did);
        known.add(did);
      }
      for (const first of known) {
        if (known.size <= MAX_KNOWN) return;
        known.delete(first);
      }
    },
    has: (did) => known.has(did),
  };
}
