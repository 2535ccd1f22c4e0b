import type { UnauthorizedReason } from '@esdb-gater/security';

/** Why a token is refused, for somebody who does not know the words of the protocol. */
export const REFUSAL_WORDS: Readonly<Record<UnauthorizedReason, string>> = {
  capability_required: 'no token was given where one is required',
  parse_error: 'it is no capability token: its form, header, claims or lifetime are wrong',
  too_large: 'it is larger than 16 KiB or has more than 8 levels of parents',
  invalid_signature: 'a signature in it is not by the key that it names: it was changed or forged',
  expired: 'it has ended, or one of its parents has',
  not_yet_valid: 'it is not valid yet',
  revoked: 'it, one of its parents or one of their issuers was revoked',
  untrusted_root: 'its chain does not end at an issuer that is trusted',
  wrong_audience: 'it is made out to somebody else',
  invalid_delegation: 'it claims more than its parent gives, or its parent was not given to its issuer',
  insufficient_permissions: 'it is good, but does not allow this action on this resource',
  invalid_resource: 'a resource in it is not in normal form',
  invalid_action: 'an action in it is not one of the known actions',
};
