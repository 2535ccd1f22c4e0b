import { requireNumber } from '@esdb-gater/primitives';
import { GaterError, isName } from '@esdb-gater/types';
import { objectArgument } from '../arguments.ts';
import { type Moment, unixSeconds } from '../time.ts';
import {
  bindingOf,
  canonicalMessage,
  SIGNATURE_MEMBERS,
  type SignatureMembers,
  signedText,
} from './members.ts';
import type { NonceCache } from './nonce-cache.ts';
import { ringOf, type SecretRing, type Secrets } from './secret-ring.ts';
import { invalidSignature } from './signature-error.ts';

/** The lifetime of a signature. */
export const MESSAGE_TTL_SECONDS = 300;
/** How far the signer's clock may be ahead. */
export const MESSAGE_SKEW_SECONDS = 60;

export interface VerifyOptions {
  /** @default the secrets of `setSecret` */
  readonly secret?: Secrets;
  /** The name of the one given as a string. @default `default` */
  readonly keyId?: string;
  /** The channel that the message must be bound to. @default none */
  readonly channel?: string;
  /** @default none */
  readonly topic?: string;
  /** @default 300 */
  readonly ttlSeconds?: number;
  /** @default now */
  readonly now?: Moment;
}

export interface VerifyMessageOptions {
  readonly secrets: SecretRing;
  /** The channel's short name. */
  readonly channel: string;
  readonly topic: string;
  /** @default 300 */
  readonly ttlSeconds?: number;
  /** @default now; for a record from Kafka the record's own time */
  readonly now?: Moment;
  /** Accepts each nonce once, as the last check. @default nonces are not checked */
  readonly nonces?: NonceCache;
}

/** A message whose signature is valid. */
export interface VerifiedMessage {
  readonly keyId: string;
  readonly nonce: string;
  /** Unix seconds. */
  readonly signedAt: number;
  /** Releases the nonce when a later step refuses the message. */
  readonly release: () => void;
}

/** 12 and 32 bytes in canonical base64url. The last of 43 characters encodes four bits. */
const NONCE = /^[A-Za-z0-9_-]{16}$/;
const SIGNATURE = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

function membersOf(message: Record<string, unknown>): SignatureMembers {
  if (!SIGNATURE_MEMBERS.some((name) => Object.hasOwn(message, name))) {
    throw new GaterError('signature_required', 'the message must be signed');
  }
  const own = (name: string): unknown => (Object.hasOwn(message, name) ? message[name] : undefined);
  const [signedAt, nonce, keyId, signature] = SIGNATURE_MEMBERS.map(own);
  if (typeof signature !== 'string' || !SIGNATURE.test(signature)) {
    throw invalidSignature('malformed', '`signature` must be base64url of 32 bytes');
  }
  if (typeof nonce !== 'string' || !NONCE.test(nonce)) {
    throw invalidSignature('malformed', '`nonce` must be base64url of 12 bytes');
  }
  if (!isName(keyId)) throw invalidSignature('malformed', '`key_id` must be 1 to 255 characters');
  if (signedAt === undefined) throw invalidSignature('missing_timestamp', '`signed_at` is missing');
  if (typeof signedAt !== 'number' || !Number.isSafeInteger(signedAt) || signedAt < 0) {
    throw invalidSignature('invalid_timestamp', '`signed_at` must be a whole number of Unix seconds');
  }
  return { signed_at: signedAt, nonce, key_id: keyId, signature };
}

function checkAge(signedAt: number, ttlSeconds: number, moment: Moment | undefined): void {
  const now = Math.floor(unixSeconds(moment, '`now`'));
  if (now - signedAt > ttlSeconds) {
    throw invalidSignature(
      'expired',
      `the signature must be at most ${ttlSeconds} s old, got ${now - signedAt} s`,
    );
  }
  if (signedAt - now > MESSAGE_SKEW_SECONDS) {
    throw invalidSignature(
      'expired',
      `the signature must be at most ${MESSAGE_SKEW_SECONDS} s ahead of this clock, got ${signedAt - now} s`,
    );
  }
}

function checkTtl(ttlSeconds: number = MESSAGE_TTL_SECONDS): number {
  return requireNumber('ttlSeconds', ttlSeconds, {
    reason: 'range',
    above: 0,
    max: Number.POSITIVE_INFINITY,
  });
}

function check(
  message: unknown,
  ring: SecretRing | undefined,
  options: Pick<VerifyOptions, 'channel' | 'topic' | 'ttlSeconds' | 'now'>,
): SignatureMembers {
  const signed = objectArgument(message, 'the message');
  const binding = bindingOf(options);
  const ttlSeconds = checkTtl(options.ttlSeconds);
  const members = membersOf(signed);
  checkAge(members.signed_at, ttlSeconds, options.now);
  if (ring?.has(members.key_id) !== true) {
    throw invalidSignature('unknown_key', `no secret has the key id "${members.key_id}"`);
  }
  const canonical = canonicalMessage(signed);
  if (ring.verify(members.key_id, signedText(canonical, binding), members.signature)) return members;
  if (ring.verify(members.key_id, signedText(canonical, { channel: '', topic: '' }), members.signature)) {
    throw invalidSignature(
      'unbound',
      'the signature must be bound to this channel and topic, and is not bound to any',
    );
  }
  throw invalidSignature('mismatch', 'the signature does not belong to this message, channel and topic');
}

/**
 * True, or the reason why not. A message that was signed for a channel and topic verifies only with them.
 *
 * @throws `signature_required` when all four members are absent; `invalid_signature` with the first reason of
 * `malformed`, `missing_timestamp`, `invalid_timestamp`, `expired` (over `ttlSeconds` old or more than 60 s ahead),
 * `unknown_key`, `unbound`, `mismatch`; `invalid_argument` for anything but a JSON object
 */
export function verify(message: unknown, options: VerifyOptions = {}): true {
  check(message, ringOf(options.secret, options.keyId), options);
  return true;
}

/**
 * The check of a channel: the same, always bound, and each nonce once.
 *
 * @throws as `verify`, and `invalid_signature` with reason `replayed`, `overloaded`
 */
export function verifyMessage(message: unknown, options: VerifyMessageOptions): VerifiedMessage {
  const { key_id: keyId, nonce, signed_at: signedAt } = check(message, options.secrets, options);
  const release = options.nonces?.take(nonce) ?? (() => {});
  return { keyId, nonce, signedAt, release };
}
