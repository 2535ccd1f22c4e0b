/** One grant of a token: an action on a resource. */
export interface TokenGrant {
  readonly with: string;
  readonly can: string;
}

/** What a capability token says, for people to read. Nothing here checks its signature: the gateway does. */
export interface TokenFacts {
  readonly issuer: string;
  readonly audience: string;
  readonly issuedAt: number;
  readonly notBefore: number | undefined;
  /** Unix seconds. */
  readonly expiresAt: number;
  readonly grants: readonly TokenGrant[];
  /** How many delegations lead from a root to this token. */
  readonly parents: number;
}

/** Reads the claims of a token. Returns undefined when the text is not a token. */
export function readToken(text: string): TokenFacts | undefined {
  const parts = text.trim().split('.');
  if (parts.length !== 3) return undefined;
  try {
    const claims = JSON.parse(fromBase64Url(parts[1] ?? '')) as Record<string, unknown>;
    const { iss, aud, iat, nbf, exp, att, prf } = claims;
    if (typeof iss !== 'string' || typeof aud !== 'string' || typeof exp !== 'number') return undefined;
    if (!Array.isArray(att)) return undefined;
    return {
      issuer: iss,
      audience: aud,
      issuedAt: typeof iat === 'number' ? iat : 0,
      notBefore: typeof nbf === 'number' ? nbf : undefined,
      expiresAt: exp,
      grants: att.filter(isGrant),
      parents: Array.isArray(prf) ? prf.length : 0,
    };
  } catch {
    return undefined;
  }
}

function isGrant(value: unknown): value is TokenGrant {
  const grant = value as Partial<TokenGrant> | null;
  return typeof grant?.with === 'string' && typeof grant.can === 'string';
}

function fromBase64Url(text: string): string {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return new TextDecoder('utf-8', { fatal: true }).decode(
    Uint8Array.from(binary, (char) => char.charCodeAt(0)),
  );
}

/**
 * Returns whether grants seem to allow an action on a resource path such as `/stream/default/users-1`, in any realm. It decides
 * what the page offers; the gateway decides what happens.
 */
export function allows(grants: readonly TokenGrant[], action: string, path: string): boolean {
  return grants.some(({ with: resource, can }) => coversAction(can, action) && coversPath(resource, path));
}

function coversAction(can: string, action: string): boolean {
  return can === '*' || can === action || (can.endsWith('/*') && action.startsWith(can.slice(0, -1)));
}

function coversPath(resource: string, path: string): boolean {
  if (resource === '*') return true;
  const own = resource.replace(/^esdb:\/\/[^/]*/, '');
  return own.endsWith('*') ? path.startsWith(own.slice(0, -1)) : own === path;
}

/** Returns an id as it stands in a resource: percent-encoded but for unreserved characters. */
export function resourcePart(id: string): string {
  return encodeURIComponent(id).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
