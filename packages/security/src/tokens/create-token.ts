import { describeType, requireInteger } from '@esdb-gater/primitives';
import { invalidArgument, type JsonObject } from '@esdb-gater/types';
import { toBase64url } from '#platform';
import { objectArgument, textArgument } from '../arguments.ts';
import { parseDidKey } from '../did-key.ts';
import { canonicalJson } from '../encoding/canonical-json.ts';
import { type Identity, identityArgument } from '../identity.ts';
import { randomNonce } from '../messages/nonce.ts';
import { type Moment, unixSeconds } from '../time.ts';
import { checkGrants, TOKEN_LIMITS } from './claims.ts';
import { checkDelegation } from './delegation.ts';
import type { Grant } from './grants.ts';
import { OWN_HEADER, type ParsedToken, parseToken } from './parse.ts';

export interface CreateTokenOptions {
  /** Signs the token. */
  readonly issuer: Identity;
  /** The did:key of the audience: a gateway, or a presenter who proves to hold that key. */
  readonly audience: string;
  /** 1 to 32 grants, in normal form. */
  readonly att: readonly Grant[];
  /** 60 to 86 400. @default 900 */
  readonly lifetimeSeconds?: number;
  /** The time from which it is valid. @default immediately */
  readonly notBefore?: Moment;
  /** Facts that give no authority: any JSON object. */
  readonly fct?: JsonObject;
  /** When it is issued. @default now */
  readonly now?: Moment;
}

const utf8 = new TextEncoder();
const NONCE_BYTES = 12;

function lifetimeOf(seconds: number = TOKEN_LIMITS.defaultLifetimeSeconds): number {
  const { minLifetimeSeconds: min, maxLifetimeSeconds: max } = TOKEN_LIMITS;
  return requireInteger('lifetimeSeconds', seconds, { reason: 'range', min, max });
}

function audienceOf(did: unknown): string {
  if (typeof did === 'string' && parseDidKey(did) !== undefined) return did;
  throw invalidArgument(
    'did',
    `\`audience\` must be the did:key of an Ed25519 key, got ${describeType(did)}`,
  );
}

function seal(options: CreateTokenOptions, parents: readonly ParsedToken[]): string {
  const { issuer, audience, att, lifetimeSeconds, notBefore, fct, now } = options;
  const iat = Math.floor(unixSeconds(now, '`now`'));
  const exp = iat + lifetimeOf(lifetimeSeconds);
  const nbf = notBefore === undefined ? undefined : Math.floor(unixSeconds(notBefore, '`notBefore`'));
  if (nbf !== undefined && nbf >= exp) {
    throw invalidArgument('range', `\`notBefore\` must be before the end of the token (${exp}), got ${nbf}`);
  }
  const claims = {
    iss: identityArgument(issuer, '`issuer`').did,
    aud: audienceOf(audience),
    iat,
    ...(nbf === undefined ? {} : { nbf }),
    exp,
    nnc: randomNonce(NONCE_BYTES),
    att: checkGrants(att),
    ...(fct === undefined ? {} : { fct: objectArgument(fct, '`fct`') }),
    prf: parents.map(({ text }) => text),
  };
  checkDelegation(
    claims,
    parents.map((parent) => parent.claims),
  );
  const signed = `${OWN_HEADER}.${toBase64url(utf8.encode(canonicalJson(claims)))}`;
  const token = `${signed}.${toBase64url(issuer.sign(utf8.encode(signed)))}`;
  // Refuses to create a token that could never be verified: too large, or facts that are nested too deeply.
  parseToken(token);
  return token;
}

/**
 * Creates a root token, valid where `issuer` is a trusted issuer.
 *
 * @throws `invalid_argument` for a wrong issuer, audience, lifetime or time; `unauthorized` with the reason of
 * verification (`invalid_resource`, `invalid_action`, `parse_error`, `too_large`) for invalid grants or sizes
 */
export function createToken(options: CreateTokenOptions): string {
  return seal(options, []);
}

/**
 * Creates a token that delegates a part of the grants of `parent`. Its `issuer` is the audience of the parent. It
 * expires with the parent, even if its own lifetime is longer. `verifyToken` checks the signature, the time and the
 * root of the parent.
 *
 * @param parent one token, or up to four
 * @throws as `createToken`, and `unauthorized`, reason `invalid_delegation`, for a grant that no parent covers and for
 * a parent of another audience, or `parse_error` when a parent is not a token
 */
export function delegateToken(parent: string | readonly string[], options: CreateTokenOptions): string {
  const parents = typeof parent === 'string' ? [parent] : parent;
  if (!Array.isArray(parents) || parents.length < 1 || parents.length > TOKEN_LIMITS.parents) {
    throw invalidArgument(
      'type',
      `the parent must be a token or a list of 1 to ${TOKEN_LIMITS.parents}, got ${describeType(parent)}`,
    );
  }
  return seal(
    options,
    parents.map((text) => parseToken(textArgument(text, 'the parent'))),
  );
}
