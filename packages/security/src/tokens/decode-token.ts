import { isPlainObject, textArgument } from '../arguments.ts';
import { checkClaims, checkHeader, TOKEN_LIMITS } from './claims.ts';
import { splitToken } from './parse.ts';
import { tokenId } from './token-id.ts';

/** A decoded token. It is not verified. */
export interface DecodedToken {
  readonly id: string;
  readonly header: unknown;
  /** The claims as the token has them, without `prf`. */
  readonly claims: unknown;
  /** The problem of the header or the claims, if any. */
  readonly problem?: string;
  readonly parents: readonly DecodedToken[];
}

function problemOf(header: unknown, claims: unknown): string | undefined {
  try {
    checkHeader(header);
    checkClaims(claims);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function decode(text: string, level: number): DecodedToken {
  const { header, claims } = splitToken(text);
  const { prf, ...rest } = isPlainObject(claims) ? claims : {};
  const problem = problemOf(header, claims);
  const parents = Array.isArray(prf) && level < TOKEN_LIMITS.levels ? prf.slice(0, TOKEN_LIMITS.parents) : [];
  return {
    id: tokenId(text),
    header,
    claims: isPlainObject(claims) ? rest : claims,
    ...(problem === undefined ? {} : { problem }),
    parents: parents
      .filter((parent) => typeof parent === 'string')
      .map((parent) => decode(parent, level + 1)),
  };
}

/**
 * Decodes a token and its parents for people to read. It verifies nothing.
 *
 * @throws `unauthorized`, reason `too_large` or `parse_error`, when it cannot be decoded
 */
export function decodeToken(token: string): DecodedToken {
  return decode(textArgument(token, 'the token'), 1);
}
