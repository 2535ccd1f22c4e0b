import { fromBase64url, toBase64url } from '#platform';
import { parseDidKey } from '../did-key.ts';
import { parseStrictJson } from '../encoding/strict-json.ts';
import { isStrictSignature } from '../engine/ed25519-strict.ts';
import { currentEngine } from '../engine/select.ts';
import { checkClaims, checkHeader, TOKEN_HEADER, TOKEN_LIMITS, type TokenClaims } from './claims.ts';
import { unauthorized } from './token-error.ts';

/** The three parts of a compact JWT, decoded. */
export interface TokenParts {
  readonly header: unknown;
  readonly claims: unknown;
  readonly signature: Uint8Array;
}

/** The header as this package writes it, which is not parsed again; others may order its members otherwise. */
export const OWN_HEADER: string = toBase64url(new TextEncoder().encode(JSON.stringify(TOKEN_HEADER)));

function part(text: string | undefined, name: string): Uint8Array {
  const bytes = text === undefined || text === '' ? undefined : fromBase64url(text);
  if (bytes === undefined) {
    throw unauthorized('parse_error', `the token's ${name} must be canonical base64url without padding`);
  }
  return bytes;
}

function json(bytes: Uint8Array, name: string): unknown {
  try {
    return parseStrictJson(bytes);
  } catch (error) {
    throw unauthorized(
      'parse_error',
      `the token's ${name}: ${error instanceof Error ? error.message : 'invalid JSON'}`,
    );
  }
}

/**
 * Splits a token into its parts and checks its size first. Time and memory are linear in the length.
 *
 * @throws `unauthorized`, reason `too_large` or `parse_error`
 */
export function splitToken(token: string): TokenParts {
  if (token.length > TOKEN_LIMITS.bytes) {
    throw unauthorized(
      'too_large',
      `the token must be at most ${TOKEN_LIMITS.bytes} characters, got ${token.length}`,
    );
  }
  const parts = token.split('.', 4);
  if (parts.length !== 3)
    throw unauthorized('parse_error', `the token must have three parts, got ${parts.length}`);
  const [header, claims, signature] = parts;
  return {
    header: header === OWN_HEADER ? TOKEN_HEADER : json(part(header, 'header'), 'header'),
    claims: json(part(claims, 'claims'), 'claims'),
    signature: part(signature, 'signature'),
  };
}

/** A well-formed token that is not verified yet. */
export interface ParsedToken {
  readonly text: string;
  readonly claims: TokenClaims;
  readonly signature: Uint8Array;
}

/** Parses a token without verifying it. @throws `unauthorized` with reason `too_large`, `parse_error`, `invalid_resource` or `invalid_action` */
export function parseToken(text: string): ParsedToken {
  const { header, claims, signature } = splitToken(text);
  if (header !== TOKEN_HEADER) checkHeader(header);
  return { text, claims: checkClaims(claims), signature };
}

/** Verifies the signature of a token. @throws `unauthorized`, reason `invalid_signature` */
export function checkTokenSignature({ text, claims, signature }: ParsedToken): void {
  const publicKey = parseDidKey(claims.iss);
  const good =
    publicKey !== undefined &&
    signature.length === 64 &&
    isStrictSignature(signature) &&
    currentEngine().verifyJwt(text, { did: claims.iss, publicKey }, signature);
  if (!good)
    throw unauthorized(
      'invalid_signature',
      "the token's signature does not verify with the key of its issuer",
    );
}
