import type { UnauthorizedReason } from '@esdb-gater/security';

/** Explains the reasons of `unauthorized` to a person. */
export const UNAUTHORIZED_MESSAGES: Readonly<Record<UnauthorizedReason, string>> = {
  capability_required: 'a token is required, but none was given',
  parse_error: 'it is not a valid capability token: its form, header, claims or lifetime are wrong',
  too_large: 'it is larger than 16 KiB, or has more than 8 levels of parents',
  invalid_signature: 'a signature in it does not match the key that it names: it was changed or forged',
  expired: 'it has expired, or one of its parents has',
  not_yet_valid: 'it is not valid yet',
  revoked: 'it, one of its parents or one of their issuers was revoked',
  untrusted_root: 'its chain does not end at a trusted issuer',
  wrong_audience: 'it was issued to another audience',
  invalid_delegation: 'it grants more than its parent, or its parent was not issued to its issuer',
  insufficient_permissions: 'it is valid, but does not allow this action on this resource',
  invalid_resource: 'a resource in it is not in normal form',
  invalid_action: 'an action in it is not one of the known actions',
};
