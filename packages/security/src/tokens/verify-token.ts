import { describeType } from '@esdb-gater/primitives';
import { invalidArgument } from '@esdb-gater/types';
import { textArgument } from '../arguments.ts';
import { type Moment, unixSeconds } from '../time.ts';
import { type IsRevoked, type VerifiedToken, verifyChain } from './chain.ts';
import { authorize } from './grants.ts';
import { unauthorized } from './token-error.ts';

export interface VerifyTokenOptions {
  /** The DIDs at which a chain must end. Without one, no token is valid. */
  readonly trustedIssuers: string | readonly string[];
  /** The audiences to accept: the gateway's own DID and names, and the DIDs that the presenter has proved. */
  readonly audience: string | readonly string[];
  /** @default no token is revoked */
  readonly isRevoked?: IsRevoked;
  /** The resource that a grant must cover, with `action`. @default grants are not checked */
  readonly resource?: string;
  readonly action?: string;
  /** @default now */
  readonly now?: Moment;
}

function texts(value: unknown, name: string): readonly string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  throw invalidArgument(
    'type',
    `\`${name}\` must be a string or a list of strings, got ${describeType(value)}`,
  );
}

/**
 * Verifies a token and returns its content. A valid token is cached, so that the next call costs about a microsecond;
 * time, revocation, root, audience and grants are checked every time.
 *
 * Throws for the first fault in this order: size and form; header; claims; issuer's key; signature; time;
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
    throw invalidArgument('type', '`resource` and `action` must be given together');
  }
  const verified = verifyChain(textArgument(token, 'the token'), {
    now: unixSeconds(options.now, '`now`'),
    isRevoked,
    trustedIssuers: texts(options.trustedIssuers, 'trustedIssuers'),
  });
  if (!audiences.includes(verified.audience)) {
    throw unauthorized(
      'wrong_audience',
      `the token's audience, ${verified.audience}, is not an audience of this gateway and was not proved`,
    );
  }
  if (resource !== undefined && action !== undefined) authorize(verified, resource, action);
  return verified;
}
