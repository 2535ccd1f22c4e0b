import { GaterError } from '@esdb-gater/types';

/** Why a token or its use is refused. */
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

/** Makes the error of a refused token. The message must not quote the token, since messages are logged. */
export function unauthorized(reason: UnauthorizedReason, message: string): GaterError {
  return new GaterError('unauthorized', message, { details: { reason } });
}
