import { describeType, isRfc3339 } from '@esdb-gater/primitives';
import { invalidArgument, type JsonObject } from '@esdb-gater/types';
import { fromBase64url, toBase64url } from '#platform';
import { isPlainObject } from '../arguments.ts';
import { parseDidKey } from '../did-key.ts';
import { ed25519Verify } from '../ed25519.ts';
import { canonicalJson } from '../encoding/canonical-json.ts';
import { type Identity, identityArgument } from '../identity.ts';
import { SIGNATURE_MEMBERS } from '../messages/members.ts';
import { type Moment, unixSeconds } from '../time.ts';
import { unauthorized } from './token-error.ts';
import { isTokenId } from './token-id.ts';

/** Revokes a token (`cid`) or all tokens of an issuer (`iss`). */
export interface Revocation extends JsonObject {
  /** The DID of the revoker. */
  readonly by: string;
  /** Unix seconds. Others may write RFC 3339. */
  readonly at: number | string;
  /** Base64url Ed25519 signature by `by`. */
  readonly proof: string;
}

export type RevocationTopic = 'token.revoked' | 'issuer.revoked';

/** A revocation with a valid proof. `RevocationList` decides whether `by` may revoke the subject. */
export interface VerifiedRevocation {
  readonly topic: RevocationTopic;
  readonly kind: 'cid' | 'iss';
  /** The token's id, or the issuer's DID. */
  readonly subject: string;
  readonly by: string;
  /** The object as received, without the members of a message signature. */
  readonly revocation: Revocation;
}

export type CreateRevocationOptions = {
  readonly reason?: string;
  /** @default now */
  readonly at?: Moment;
} & ({ readonly cid: string; readonly iss?: never } | { readonly iss: string; readonly cid?: never });

const utf8 = new TextEncoder();
const REASON_UNITS = 1_024;
const MEMBERS: ReadonlySet<string> = new Set(['cid', 'iss', 'by', 'at', 'reason', 'proof']);

function signedBytes(topic: RevocationTopic, unsigned: JsonObject): Uint8Array {
  return utf8.encode(`esdb-gater-revoke/1\n${topic}\n${canonicalJson(unsigned)}`);
}

/** @throws `invalid_argument`, reason `revocation` */
function wrong(message: string): Error {
  return invalidArgument('revocation', message);
}

function isTime(at: unknown): boolean {
  return isRfc3339(at) || (Number.isSafeInteger(at) && (at as number) >= 0);
}

/** Returns the revoked subject: exactly one of `cid` and `iss`. */
function subjectOf(revocation: Readonly<Record<string, unknown>>): {
  kind: 'cid' | 'iss';
  subject: string;
  topic: RevocationTopic;
} {
  const { cid, iss } = revocation;
  if ((cid === undefined) === (iss === undefined))
    throw wrong('a revocation must have either `cid` or `iss`');
  if (cid !== undefined) {
    if (!isTokenId(cid))
      throw wrong(`\`cid\` must be a token id such as "bafkrei…", got ${describeType(cid)}`);
    return { kind: 'cid', subject: cid, topic: 'token.revoked' };
  }
  if (typeof iss !== 'string' || parseDidKey(iss) === undefined) {
    throw wrong(`\`iss\` must be the did:key of an Ed25519 key, got ${describeType(iss)}`);
  }
  return { kind: 'iss', subject: iss, topic: 'issuer.revoked' };
}

function checkReason(reason: unknown): void {
  const right = typeof reason === 'string' && reason.length <= REASON_UNITS && reason.isWellFormed();
  if (reason !== undefined && !right)
    throw wrong(`\`reason\` must be a string of up to ${REASON_UNITS} characters`);
}

/**
 * Creates a revocation, proved by `identity`, for `revokeToken`. It has effect when `identity` has issued that token
 * or one of its ancestors, or is the revoked issuer, or a trusted root.
 *
 * @throws `invalid_argument`, reason `type`, `time` or `revocation`
 */
export function createRevocation(identity: Identity, options: CreateRevocationOptions): Revocation {
  const { cid, iss, reason, at } = options;
  const { topic, kind, subject } = subjectOf({ cid, iss });
  checkReason(reason);
  const unsigned = {
    [kind]: subject,
    by: identityArgument(identity, 'the identity').did,
    at: Math.floor(unixSeconds(at, '`at`')),
    ...(reason === undefined ? {} : { reason }),
  };
  return Object.freeze({ ...unsigned, proof: toBase64url(identity.sign(signedBytes(topic, unsigned))) });
}

/**
 * Verifies the proof of a revocation and returns its content. It ignores the members of a message signature.
 *
 * @throws `invalid_argument`, reason `revocation`, for another shape; `unauthorized`, reason `invalid_signature`
 */
export function verifyRevocation(value: unknown): VerifiedRevocation {
  if (!isPlainObject(value)) throw wrong(`the revocation must be an object, got ${describeType(value)}`);
  const revocation = { ...value };
  for (const name of SIGNATURE_MEMBERS) delete revocation[name];
  if (!Object.keys(revocation).every((name) => MEMBERS.has(name))) {
    throw wrong(`a revocation must have no other members than ${[...MEMBERS].join(', ')}`);
  }
  const { topic, kind, subject } = subjectOf(revocation);
  const { proof, ...unsigned } = revocation;
  const { by, at, reason } = unsigned;
  const publicKey = typeof by === 'string' ? parseDidKey(by) : undefined;
  if (typeof by !== 'string' || publicKey === undefined) {
    throw wrong(`\`by\` must be the did:key of an Ed25519 key, got ${describeType(by)}`);
  }
  if (!isTime(at)) throw wrong('`at` must be a whole number of Unix seconds or an RFC 3339 time');
  checkReason(reason);
  const signature = typeof proof === 'string' ? fromBase64url(proof) : undefined;
  if (signature === undefined) throw wrong('`proof` must be base64url');
  if (!ed25519Verify(publicKey, signedBytes(topic, unsigned as JsonObject), signature)) {
    throw unauthorized(
      'invalid_signature',
      'the proof of the revocation does not verify with the key of `by`',
    );
  }
  return Object.freeze({ topic, kind, subject, by, revocation: Object.freeze(revocation) as Revocation });
}
