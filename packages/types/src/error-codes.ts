/** Every error code, and whether a retry of the same call may succeed. The codes are API. */
export const ERROR_CODES = {
  wrong_expected_version: { retriable: false },
  append_condition_failed: { retriable: false },
  stream_not_found: { retriable: false },
  stream_deleted: { retriable: false },
  snapshot_not_found: { retriable: false },
  subscription_not_found: { retriable: false },
  store_not_found: { retriable: false },
  no_workers: { retriable: true },
  invalid_argument: { retriable: false },
  payload_too_large: { retriable: false },
  unauthorized: { retriable: false },
  rate_limited: { retriable: true },
  signature_required: { retriable: false },
  invalid_signature: { retriable: false },
  unknown_channel: { retriable: false },
  timeout: { retriable: true },
  retries_exhausted: { retriable: false },
  unavailable: { retriable: true },
  overloaded: { retriable: true },
  not_supported: { retriable: false },
  internal: { retriable: false },
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** True for a code of the table. */
export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERROR_CODES, value);
}
