import type { JsonObject } from '@esdb-gater/types';
import { LruMap } from '../lru-map.ts';
import { TOKEN_LIMITS } from './claims.ts';
import { checkDelegation } from './delegation.ts';
import type { Grant } from './grants.ts';
import { checkTokenSignature, type ParsedToken, parseToken } from './parse.ts';
import { unauthorized } from './token-error.ts';
import { tokenId } from './token-id.ts';

/** One token of a chain, as a revocation can name it. */
export interface ChainLink {
  /** The token's id. */
  readonly id: string;
  readonly issuer: string;
  /** The issuers of this token and of all its ancestors: who may revoke it. */
  readonly issuers: readonly string[];
}

/** A valid token. Times are Unix seconds and apply to the whole chain. */
export interface VerifiedToken {
  readonly id: string;
  readonly issuer: string;
  readonly audience: string;
  /** The earliest end in the chain. */
  readonly expiresAt: number;
  /** The latest beginning in the chain, if one is named. */
  readonly notBefore?: number;
  readonly att: readonly Grant[];
  readonly fct?: JsonObject;
  /** The token itself first, then its ancestors. */
  readonly chain: readonly ChainLink[];
}

/**
 * Returns whether a token id or an issuer's DID is revoked. It is called for the token, every ancestor and every
 * issuer, at every verification. `issuers` are those who may revoke `idOrDid`, besides the trusted roots.
 */
export type IsRevoked = (idOrDid: string, kind: 'cid' | 'iss', issuers: readonly string[]) => boolean;

/** The conditions that each verification checks again. */
export interface ChainContext {
  readonly now: number;
  readonly isRevoked: IsRevoked | undefined;
  readonly trustedIssuers: readonly string[];
}

/** A token of a chain under verification. It caches results that never change. */
class Link {
  readonly token: ParsedToken;
  readonly id: string;
  #parents: Link[] | undefined;
  #issuers: readonly string[] | undefined;
  /** Set once the signature, the parents and the delegations of this token are verified. */
  verified: VerifiedToken | undefined;

  constructor(text: string) {
    this.token = parseToken(text);
    this.id = tokenId(text);
  }

  /** @throws as `parseToken` */
  parents(): readonly Link[] {
    this.#parents ??= this.token.claims.prf.map((text) => proven.get(text) ?? new Link(text));
    return this.#parents;
  }

  /** Returns the issuers of this token and its ancestors. Ancestors that cannot be parsed are left out; they fail later. */
  issuers(level: number): readonly string[] {
    if (this.#issuers !== undefined) return this.#issuers;
    const found = new Set([this.token.claims.iss]);
    if (level < TOKEN_LIMITS.levels) {
      try {
        for (const parent of this.parents()) for (const did of parent.issuers(level + 1)) found.add(did);
      } catch {
        return [...found];
      }
    }
    this.#issuers = Object.freeze([...found]);
    return this.#issuers;
  }
}

/**
 * Caches verified tokens by their text. Only chains that end at a trusted root are cached, so that strangers cannot
 * evict entries. A token may have 16 KiB; most are shorter than 1 KiB.
 */
const proven: LruMap<string, Link> = new LruMap(2_000);

function checkTime({ iat, nbf, exp }: ParsedToken['claims'], now: number): void {
  if (now >= exp) throw unauthorized('expired', `the token, or one it derives from, ended at ${exp}`);
  const latest = now + TOKEN_LIMITS.skewSeconds;
  if (iat > latest || (nbf !== undefined && nbf > latest)) {
    throw unauthorized(
      'not_yet_valid',
      `the token, or one it derives from, begins at ${Math.max(iat, nbf ?? 0)}`,
    );
  }
}

function checkRevocation(link: Link, level: number, isRevoked: IsRevoked): void {
  const issuers = link.issuers(level);
  const { iss } = link.token.claims;
  if (isRevoked(link.id, 'cid', issuers) || isRevoked(iss, 'iss', [iss])) {
    throw unauthorized('revoked', 'the token, or one it derives from, or its issuer is revoked');
  }
}

function summarise(link: Link, parents: readonly Link[], level: number): VerifiedToken {
  const { claims } = link.token;
  const above = parents.flatMap(({ verified }) => (verified === undefined ? [] : [verified]));
  const begins = [claims.nbf, ...above.map(({ notBefore }) => notBefore)].filter(
    (time) => time !== undefined,
  );
  const own: ChainLink = Object.freeze({ id: link.id, issuer: claims.iss, issuers: link.issuers(level) });
  return Object.freeze({
    id: link.id,
    issuer: claims.iss,
    audience: claims.aud,
    expiresAt: Math.min(claims.exp, ...above.map(({ expiresAt }) => expiresAt)),
    ...(begins.length === 0 ? {} : { notBefore: Math.max(...begins) }),
    att: claims.att,
    ...(claims.fct === undefined ? {} : { fct: claims.fct }),
    chain: Object.freeze([own, ...above.flatMap(({ chain }) => chain)]),
  });
}

/** Verifies one token, then its parents, in the documented order; collects all links and skips cached checks. */
function verifyLink(link: Link, context: ChainContext, level: number, links: Link[]): VerifiedToken {
  if (level > TOKEN_LIMITS.levels) {
    throw unauthorized('too_large', `the chain must be at most ${TOKEN_LIMITS.levels} tokens long`);
  }
  if (link.verified === undefined) checkTokenSignature(link.token);
  checkTime(link.token.claims, context.now);
  if (context.isRevoked !== undefined) checkRevocation(link, level, context.isRevoked);
  const parents = link.parents();
  for (const parent of parents) verifyLink(parent, context, level + 1, links);
  if (link.verified === undefined) {
    checkDelegation(
      link.token.claims,
      parents.map(({ token }) => token.claims),
    );
    link.verified = summarise(link, parents, level);
  }
  links.push(link);
  return link.verified;
}

/**
 * Verifies a token and all its ancestors, up to trusted roots.
 *
 * @throws `unauthorized`
 */
export function verifyChain(text: string, context: ChainContext): VerifiedToken {
  const known = proven.get(text);
  const links: Link[] = [];
  const verified = verifyLink(known ?? new Link(text), context, 1, links);
  const untrusted = links.some(
    ({ token: { claims } }) => claims.prf.length === 0 && !context.trustedIssuers.includes(claims.iss),
  );
  if (untrusted)
    throw unauthorized(
      'untrusted_root',
      'the chain ends at an issuer that is not trusted here (see security.trustedIssuers)',
    );
  if (known === undefined) {
    for (const link of links)
      if (proven.get(link.token.text) === undefined) proven.add(link.token.text, link);
  }
  return verified;
}

/** Returns whether a verified token has been revoked since: for live connections, after a revocation. */
export function isTokenRevoked(verified: VerifiedToken, isRevoked: IsRevoked): boolean {
  return verified.chain.some(
    ({ id, issuer, issuers }) => isRevoked(id, 'cid', issuers) || isRevoked(issuer, 'iss', [issuer]),
  );
}
