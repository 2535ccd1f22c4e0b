import type { JsonObject } from '@esdb-gater/types';
import { fromBase64url } from '#platform';
import { isPlainObject } from '../arguments.ts';
import { parseDidKey } from '../did-key.ts';
import { type Grant, isAction } from './grants.ts';
import { isNormalResource } from './resource.ts';
import { unauthorized } from './token-error.ts';

/** The claims of a token. Times are Unix seconds. */
export interface TokenClaims {
  readonly iss: string;
  readonly aud: string;
  readonly iat: number;
  readonly nbf?: number;
  readonly exp: number;
  readonly nnc: string;
  readonly att: readonly Grant[];
  readonly fct?: JsonObject;
  /** Parent tokens, inline. */
  readonly prf: readonly string[];
}

export const TOKEN_LIMITS = {
  /** Of a token with all its parents. */
  bytes: 16_384,
  /** The token itself is the first. */
  levels: 8,
  grants: 32,
  parents: 4,
  minLifetimeSeconds: 60,
  maxLifetimeSeconds: 86_400,
  defaultLifetimeSeconds: 900,
  minNonceBytes: 12,
  /** How far the issuer's clock may be ahead. */
  skewSeconds: 60,
} as const;

/** The only accepted header: a token cannot choose its algorithm. */
export const TOKEN_HEADER = { alg: 'EdDSA', typ: 'JWT', ucv: '0.9.1' } as const;

const REQUIRED = ['iss', 'aud', 'iat', 'exp', 'nnc', 'att', 'prf'] as const;
const OPTIONAL = ['nbf', 'fct'] as const;
const KNOWN: ReadonlySet<string> = new Set([...REQUIRED, ...OPTIONAL]);

function parseError(message: string): Error {
  return unauthorized('parse_error', message);
}

/** @throws `unauthorized`, reason `parse_error` */
export function checkHeader(header: unknown): void {
  const names = Object.keys(TOKEN_HEADER) as (keyof typeof TOKEN_HEADER)[];
  const right =
    isPlainObject(header) &&
    Object.keys(header).length === names.length &&
    names.every((name) => Object.hasOwn(header, name) && header[name] === TOKEN_HEADER[name]);
  if (!right) throw parseError(`the token's header must be exactly ${JSON.stringify(TOKEN_HEADER)}`);
}

function checkTimes(claims: Record<string, unknown>): void {
  for (const name of ['iat', 'exp', ...(Object.hasOwn(claims, 'nbf') ? ['nbf'] : [])]) {
    const value = claims[name];
    if (!(Number.isSafeInteger(value) && (value as number) >= 0)) {
      throw parseError(`the claim "${name}" must be a whole number of Unix seconds`);
    }
  }
  const lifetime = (claims['exp'] as number) - (claims['iat'] as number);
  const { minLifetimeSeconds, maxLifetimeSeconds } = TOKEN_LIMITS;
  if (lifetime < minLifetimeSeconds || lifetime > maxLifetimeSeconds) {
    throw parseError(
      `the lifetime must be ${minLifetimeSeconds} to ${maxLifetimeSeconds} s, got ${lifetime} s`,
    );
  }
}

/**
 * Returns the grants, frozen, when they are in normal form.
 *
 * @throws `unauthorized` with reason `parse_error`, `invalid_resource` or `invalid_action`
 */
export function checkGrants(att: unknown): readonly Grant[] {
  if (!Array.isArray(att) || att.length < 1 || att.length > TOKEN_LIMITS.grants) {
    throw parseError(`the claim "att" must be a list of 1 to ${TOKEN_LIMITS.grants} grants`);
  }
  return Object.freeze(
    att.map((grant: unknown, i) => {
      if (!isPlainObject(grant) || Object.keys(grant).length !== 2) {
        throw parseError(`grant ${i} must be { with, can }`);
      }
      const { with: resource, can } = grant;
      if (typeof resource !== 'string' || typeof can !== 'string') {
        throw parseError(`grant ${i} must be { with, can } of strings`);
      }
      if (!isNormalResource(resource)) {
        throw unauthorized('invalid_resource', `the resource of grant ${i} must be in normal form`);
      }
      if (!isAction(can)) {
        throw unauthorized(
          'invalid_action',
          `the action of grant ${i} must be "<kind>/<verb>", "<kind>/*" or "*"`,
        );
      }
      return Object.freeze({ with: resource, can });
    }),
  );
}

function checkNonce(nnc: unknown): void {
  const bytes = typeof nnc === 'string' ? fromBase64url(nnc) : undefined;
  if (bytes === undefined || bytes.length < TOKEN_LIMITS.minNonceBytes) {
    throw parseError(`the claim "nnc" must be base64url of at least ${TOKEN_LIMITS.minNonceBytes} bytes`);
  }
}

function checkParents(prf: unknown): void {
  const right =
    Array.isArray(prf) && prf.length <= TOKEN_LIMITS.parents && prf.every((text) => typeof text === 'string');
  if (!right) throw parseError(`the claim "prf" must be a list of up to ${TOKEN_LIMITS.parents} tokens`);
}

function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  Object.values(value).forEach(deepFreeze);
  Object.freeze(value);
}

/**
 * Returns the claims, frozen. They must come from a parser, since they are not copied.
 *
 * @throws `unauthorized` with reason `parse_error`, `invalid_resource` or `invalid_action`
 */
export function checkClaims(claims: unknown): TokenClaims {
  if (!isPlainObject(claims)) throw parseError("the token's claims must be an object");
  const missing = REQUIRED.find((name) => !Object.hasOwn(claims, name));
  if (missing !== undefined) throw parseError(`the claim "${missing}" is missing`);
  if (!Object.keys(claims).every((name) => KNOWN.has(name)))
    throw parseError('the token has an unknown claim');
  for (const name of ['iss', 'aud']) {
    const did = claims[name];
    if (typeof did !== 'string' || parseDidKey(did) === undefined) {
      throw parseError(`the claim "${name}" must be the canonical did:key of an Ed25519 key`);
    }
  }
  checkTimes(claims);
  checkNonce(claims['nnc']);
  const att = checkGrants(claims['att']);
  if (Object.hasOwn(claims, 'fct') && !isPlainObject(claims['fct'])) {
    throw parseError('the claim "fct" must be an object');
  }
  checkParents(claims['prf']);
  deepFreeze([claims['fct'], claims['prf']]);
  return Object.freeze({ ...(claims as unknown as TokenClaims), att });
}
