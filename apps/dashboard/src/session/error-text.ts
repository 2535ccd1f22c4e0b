import { GaterError } from '@esdb-gater/client';

type Details = Readonly<Record<string, unknown>>;

const VERSIONS: Readonly<Record<string, string>> = {
  '-1': 'that the stream does not exist yet',
  '-2': 'any version',
  '-4': 'that the stream exists',
};

const REASONS: Readonly<Record<string, string>> = {
  capability_required: 'This gateway wants a token for that.',
  expired: 'The token has ended. Ask for a new one.',
  not_yet_valid: 'The token is not valid yet.',
  revoked: 'The token was revoked.',
  untrusted_root: 'The gateway does not trust the issuer of the token.',
  wrong_audience: 'The token was made for another gateway or holder.',
  insufficient_permissions: 'The token does not allow this.',
  parse_error: 'This text is not a token.',
  too_large: 'The token is too large.',
  invalid_signature: 'The signature of the token is wrong.',
  invalid_delegation: 'A delegation of the token is wider than what it came from.',
};

const SENTENCES: Readonly<Record<string, (details: Details, message: string) => string>> = {
  wrong_expected_version: ({ expected, actual }) =>
    `The stream is at version ${actual}, but the append expected ${VERSIONS[String(expected)] ?? `version ${expected}`}. Nothing was written.`,
  append_condition_failed: ({ position }) =>
    `An event at position ${position} already matches the condition. Nothing was written.`,
  stream_not_found: () => 'This stream does not exist.',
  stream_deleted: () =>
    'This stream was deleted. Its past events can still be found by type, by tag and in the whole store.',
  store_not_found: () => 'The gateway does not know this store.',
  no_workers: () => 'No worker serves this store at the moment.',
  subscription_not_found: () => 'This subscription does not exist.',
  payload_too_large: () => 'This is larger than the gateway accepts.',
  rate_limited: ({ retryAfterMs }) => `Too many messages. The next one may go in ${retryAfterMs} ms.`,
  signature_required: () => 'This channel accepts only signed messages.',
  unavailable: () => 'The gateway cannot do this at the moment.',
  overloaded: () => 'The gateway has too much to do at the moment.',
  timeout: () => 'There was no answer in time.',
  unauthorized: ({ reason }, message) => REASONS[String(reason)] ?? message,
};

/** Returns a sentence for people about what went wrong. */
export function errorText(error: unknown): string {
  const known = GaterError.from(error);
  const { code, details, message } = known;
  return SENTENCES[code]?.((details ?? {}) as Details, message) ?? message;
}

/** Returns the stable code of an error, with its reason. */
export function errorCode(error: unknown): string {
  const { code, details } = GaterError.from(error);
  const reason = (details as Details | undefined)?.['reason'];
  return typeof reason === 'string' ? `${code}/${reason}` : code;
}

/** Returns true when another token might help. */
export function isUnauthorized(error: unknown): boolean {
  return GaterError.from(error).code === 'unauthorized';
}
