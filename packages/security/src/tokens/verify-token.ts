import { describeType } from '@esdb-gater/primitives';
import { invalidArgument } from '@esdb-gater/types';
import { textArgument } from '../arguments.ts';
import { type Moment, unixSeconds } from '../time.ts';
import { type IsRevoked, type VerifiedToken, verifyChain } from './chain.ts';
import { authorize } from './grants.ts';
import { unauthorized } from './token-error.ts';

export interface VerifyTokenOptions {
  /** The DIDs at which a chain must end. With none, no token is good. */
  readonly trustedIssuers: string | readonly string[];
  /** Whom the token must be for: the gateway's own DID and names, and what the presenter has proved. */
  readonly audience: string | readonly string[];
  /** @default nothing is revoked */
  readonly isRevoked?: IsRevoked;
  /** What is wanted, with `action`. @default nothing is asked of the grants */
  readonly resource?: string;
  readonly action?: string;
  /** @default the present */
  readonly now?: Moment;
}

function texts(value: unknown, name: string): readonly string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  throw invalidArgument('type', `\`${name}\` is ${describeType(value)}; expected a text or a list of texts`);
}

/**
 * What the token says, when everything about it is good. A token that was good is remembered, so that the next
 * time costs about a microsecond; time, revocation, root, audience and grants are asked every time.
 *
 * The first fault in this order is given: size and form; header; claims; issuer's key; signature; time;
 * revocation; each parent the same way, the delegation; the root; the audience; the wanted action.
 *
 * @throws `unauthorized` with reason `too_large`, `parse_error`, `invalid_resource`, `invalid_action`,
 * `invalid_signature`, `expired`, `not_yet_valid`, `revoked`, `invalid_delegation`, `untrusted_root`,
 * `wrong_audience` or `insufficient_permissions`; `invalid_argument` for arguments of the wrong type
 */
export function verifyToken(token: string, options: VerifyTokenOptions): VerifiedToken {
  const { resource, action, isRevoked } = options;
  const audiences = texts(options.audience, 'audience');
  if ((resource === undefined) !== (action === undefined)) {
    throw invalidArgument('type', '`resource` and `action` are wanted together or not at all');
  }
  const verified = verifyChain(textArgument(token, 'the token'), {
    now: unixSeconds(options.now, '`now`'),
    isRevoked,
    trustedIssuers: texts(options.trustedIssuers, 'trustedIssuers'),
  });
  if (!audiences.includes(verified.audience)) {
    throw unauthorized('wrong_audience', `the token is for ${verified.audience}, which is nobody here`);
  }
  if (resource !== undefined && action !== undefined) authorize(verified, resource, action);
  return verified;
}
