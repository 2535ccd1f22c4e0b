import { invalidArgument } from '@esdb-gater/types';
import { objectArgument } from '../arguments.ts';
import { type Moment, unixSeconds } from '../time.ts';
import {
  bindingOf,
  canonicalMessage,
  SIGNATURE_MEMBERS,
  type SignatureMembers,
  signedText,
} from './members.ts';
import { randomNonce } from './nonce.ts';
import { ringOf, type Secrets } from './secret-ring.ts';

export interface SignOptions {
  /** @default the secrets of `setSecret` */
  readonly secret?: Secrets;
  /** Which secret of a list, or the name of the one given as a string. @default the first, and `default` */
  readonly keyId?: string;
  /** The channel's short name. A channel accepts only messages that are bound to it and to the topic. @default none */
  readonly channel?: string;
  /** @default none */
  readonly topic?: string;
  /** @default now */
  readonly now?: Moment;
}

const NONCE_BYTES = 12;

/** Returns the message without the four members; only some of the four are an error. */
function withoutSignature(message: Record<string, unknown>): Record<string, unknown> {
  const present = SIGNATURE_MEMBERS.filter((name) => Object.hasOwn(message, name));
  if (present.length === 0) return message;
  if (present.length < SIGNATURE_MEMBERS.length) {
    throw invalidArgument(
      'reserved_member',
      `the message has ${present.join(', ')}: names of a signature, of which it must have all four or none`,
    );
  }
  const { signed_at: _, nonce: __, key_id: ___, signature: ____, ...rest } = message;
  return rest;
}

/**
 * The message with four more members: `signed_at`, `nonce`, `key_id`, and `signature`, which covers the message,
 * channel and topic. A signed message is signed anew. The message itself is not changed.
 *
 * @throws `invalid_argument` with reason `type` (no object), `reserved_member`, `secret_missing` (none given and
 * none set), `unknown_key`, or those of `canonicalJson`
 */
export function sign<Message extends object>(
  message: Message,
  options: SignOptions = {},
): Message & SignatureMembers {
  const unsigned = withoutSignature(objectArgument(message, 'the message'));
  const ring = ringOf(options.secret, options.keyId);
  if (ring === undefined) {
    throw invalidArgument('secret_missing', 'no secret: hand one in as `secret`, or call `setSecret` before');
  }
  const keyId = options.keyId ?? ring.keyIds[0];
  const binding = bindingOf(options);
  const signed: Record<string, unknown> = {
    ...unsigned,
    signed_at: Math.floor(unixSeconds(options.now, '`now`')),
    nonce: randomNonce(NONCE_BYTES),
    key_id: keyId,
  };
  signed['signature'] = ring.sign(signedText(canonicalMessage(signed), binding), keyId).signature;
  return signed as Message & SignatureMembers;
}
