import { GaterError } from '@esdb-gater/types';

/** Why a token, or what it was wanted for, is refused. */
export type UnauthorizedReason =
  | 'capability_required'
  | 'parse_error'
  | 'too_large'
  | 'invalid_signature'
  | 'expired'
  | 'not_yet_valid'
  | 'revoked'
  | 'untrusted_root'
  | 'wrong_audience'
  | 'invalid_delegation'
  | 'insufficient_permissions'
  | 'invalid_resource'
  | 'invalid_action';

/** The message never quotes a token: it ends up in logs. */
export function unauthorized(reason: UnauthorizedReason, message: string): GaterError {
  return new GaterError('unauthorized', message, { details: { reason } });
}
