import type { GaterError } from '@esdb-gater/types';

const PERMANENT_REASONS = ['certificate', 'host_not_found', 'not_tls', 'not_http', 'insecure_url'] as const;

/** Why a connection cannot be made, when waiting does not help. */
export type PermanentReason = (typeof PERMANENT_REASONS)[number];

const PERMANENT: ReadonlySet<unknown> = new Set(PERMANENT_REASONS);

/** Returns true when connecting failed for a cause that time does not mend, such as a wrong certificate. */
export function isPermanent(error: GaterError): boolean {
  return error.code === 'unavailable' && PERMANENT.has(error.details['reason']);
}
