import { GaterError } from '@esdb-gater/types';

/** Why a signature was refused, in the order of the checks. */
export type SignatureReason =
  | 'malformed'
  | 'missing_timestamp'
  | 'invalid_timestamp'
  | 'expired'
  | 'unknown_key'
  | 'unbound'
  | 'mismatch'
  | 'replayed';

export function invalidSignature(reason: SignatureReason, message: string): GaterError {
  return new GaterError('invalid_signature', message, { details: { reason } });
}
