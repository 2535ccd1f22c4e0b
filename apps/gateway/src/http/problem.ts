import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { ErrorCode, GaterError } from '@esdb-gater/types';

/** The HTTP status of every error code; some depend on the reason, see `statusOf`. */
const STATUS: Readonly<Record<ErrorCode, number>> = {
  wrong_expected_version: 409,
  append_condition_failed: 409,
  stream_not_found: 404,
  stream_deleted: 404,
  snapshot_not_found: 404,
  subscription_not_found: 404,
  store_not_found: 404,
  no_workers: 503,
  invalid_argument: 422,
  payload_too_large: 413,
  unauthorized: 401,
  rate_limited: 429,
  signature_required: 403,
  invalid_signature: 403,
  unknown_channel: 404,
  timeout: 504,
  retries_exhausted: 500,
  unavailable: 503,
  overloaded: 503,
  not_supported: 501,
  internal: 500,
};

/** Reasons of `unauthorized` that are 403, since the caller is known but not allowed. */
const FORBIDDEN: ReadonlySet<unknown> = new Set([
  'insufficient_permissions',
  'host_not_allowed',
  'origin_not_allowed',
]);

/** Returns the status for an error. A lost position is 410 only for server-sent events; see `sse.ts`. */
export function statusOf(error: GaterError): number {
  if (error.code === 'unauthorized' && FORBIDDEN.has(error.details['reason'])) return 403;
  if (error.code === 'invalid_argument' && error.details['reason'] === 'json') return 400;
  if (error.code === 'retries_exhausted') {
    const cause = error.details['cause'];
    if (typeof cause === 'string' && cause !== 'retries_exhausted' && Object.hasOwn(STATUS, cause)) {
      return STATUS[cause as ErrorCode];
    }
  }
  return STATUS[error.code];
}

/** A response of `application/problem+json` (RFC 9457). */
export interface Problem {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export const PROBLEM_TYPE = 'application/problem+json';

/** Returns the problem for an error: the members of the RFC and those of the WebSocket error's `data`. */
export function problemOf(
  error: GaterError,
  options: { readonly status?: number; readonly realm?: string } = {},
): Problem {
  const status = options.status ?? statusOf(error);
  const headers: Record<string, string> = { 'content-type': PROBLEM_TYPE };
  if (status === 401) headers['www-authenticate'] = `Bearer realm="${options.realm ?? 'default'}"`;
  const retryAfterMs = error.details['retryAfterMs'];
  if (status === 429 || status === 503) {
    headers['retry-after'] = String(Math.max(1, Math.ceil(Number(retryAfterMs ?? 1_000) / 1_000)));
  }
  const body = JSON.stringify({
    ...error.toData(),
    type: `urn:esdb-gater:error:${error.code}`,
    title: error.code.replaceAll('_', ' '),
    status,
    detail: error.message,
  });
  return { status, headers, body };
}

/** Returns the problem for an error of HTTP itself, which has no error code: an unknown path, a wrong method. */
export function plainProblem(status: number, title: string, detail: string): Problem {
  return {
    status,
    headers: { 'content-type': PROBLEM_TYPE },
    body: JSON.stringify({ type: 'about:blank', title, status, detail }),
  };
}

/** Returns a problem as a whole HTTP/1.1 response, for a socket that has no response object. The connection ends with it. */
export function rawResponse({ status, headers, body }: Problem): string {
  const { title } = JSON.parse(body) as { readonly title: string };
  const lines = Object.entries({
    ...headers,
    connection: 'close',
    'content-length': String(Buffer.byteLength(body)),
  }).map(([name, value]) => `${name}: ${value}`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? title}\r\n${lines.join('\r\n')}\r\n\r\n${body}`;
}

/** Returns the path of a request without its query. */
export function pathOf({ url = '/' }: Pick<IncomingMessage, 'url'>): string {
  return url.split('?', 1)[0] ?? '/';
}
