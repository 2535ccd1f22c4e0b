import { factsOf } from '@esdb-gater/protocol';
import { ERROR_CODES, type ErrorCode, GaterError } from '@esdb-gater/types';
import { PROBLEM_TYPE, statusOf } from '../problem.ts';
import type { JsonSchema, Operation } from './operation.ts';

/** Codes of every call that a worker answers. */
const WORKER_CODES = ['store_not_found', 'no_workers', 'timeout', 'retries_exhausted'] as const;

/** Codes of every call. */
const CALL_CODES = ['invalid_argument', 'unauthorized', 'unavailable', 'overloaded', 'internal'] as const;

/** The schema of every error: RFC 9457, with the members of the WebSocket error's `data`. */
export const PROBLEM_SCHEMA: JsonSchema = {
  title: 'Problem',
  type: 'object',
  description: 'an error (RFC 9457). `code` is absent for errors of HTTP itself, such as an unknown path',
  properties: {
    type: { type: 'string', description: '`urn:esdb-gater:error:<code>`, or `about:blank`' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string', enum: Object.keys(ERROR_CODES) },
    retriable: { type: 'boolean', description: 'true when a retry of the same request may succeed' },
    reason: {
      type: 'string',
      description: 'why, for `invalid_argument`, `unauthorized` and `invalid_signature`',
    },
    path: { type: 'string', description: 'the member that `invalid_argument` is about' },
    retryAfterMs: { type: 'integer', description: 'when `rate_limited` is worth a retry' },
  },
  required: ['type', 'title', 'status', 'detail'],
};

/** Headers of errors, as components. */
export const PROBLEM_HEADERS: Readonly<Record<string, JsonSchema>> = {
  'Retry-After': {
    description: 'Seconds after which a retry may succeed.',
    schema: { type: 'integer', minimum: 1 },
  },
  'WWW-Authenticate': {
    description: 'The scheme of the token, with the realm.',
    schema: { type: 'string' },
    example: 'Bearer realm="default"',
  },
  Allow: {
    description: 'The methods that the path has.',
    schema: { type: 'string' },
    example: 'GET, HEAD',
  },
};

/** The headers of each status that has one. */
const HEADERS_BY_STATUS: Readonly<Record<number, string>> = {
  401: 'WWW-Authenticate',
  405: 'Allow',
  429: 'Retry-After',
  503: 'Retry-After',
};

/** Errors of HTTP itself, which have no code. */
const PLAIN = {
  400: 'the request is malformed, such as a path that is not percent-encoded UTF-8',
  403: 'the host or the origin is not allowed',
  404: 'the path does not exist',
  405: 'the path does not have this method',
  413: 'the body is larger than `limits.frameBytes`',
  414: 'a part of the path is too long',
  415: 'the content type is not JSON',
} as const;

/** Returns all responses of a route that are errors, by status. */
export function problemResponses(
  { id, method, errors = [], body, otherBodies, open }: Operation,
  hasPathParts: boolean,
): Record<string, JsonSchema> {
  const facts = method === undefined ? undefined : factsOf(method);
  const codes = new Set<ErrorCode>([
    ...errors,
    ...(facts === undefined ? [] : CALL_CODES),
    ...(facts?.servedBy === 'store' || hasPathParts ? WORKER_CODES : []),
    ...(facts?.worker === 'optional' ? (['not_supported'] as const) : []),
    ...(open === true ? [] : (['unauthorized'] as const)),
    ...(body === undefined && otherBodies === undefined ? [] : (['payload_too_large'] as const)),
  ]);
  const hasBody = body !== undefined || otherBodies !== undefined;
  const said = new Map<number, Set<string>>();
  const say = (status: number, text: string): void => {
    said.set(status, (said.get(status) ?? new Set()).add(text));
  };
  for (const code of codes) {
    for (const status of statusesOf(code, hasBody, open === true)) say(status, `\`${code}\``);
  }
  say(400, PLAIN[400]);
  // Probes are asked under any host name, by any page.
  if (id !== 'livez' && id !== 'readyz') say(403, PLAIN[403]);
  say(405, PLAIN[405]);
  if (hasPathParts) say(414, PLAIN[414]);
  if (hasBody) say(415, PLAIN[415]);
  return Object.fromEntries(
    [...said].map(([status, texts]) => [String(status), problemResponse(status, [...texts].join(', '))]),
  );
}

/** Returns every status that a code has on a route. */
function statusesOf(code: ErrorCode, hasBody: boolean, open: boolean): readonly number[] {
  const status = statusOf(new GaterError(code, ''));
  if (code === 'unauthorized' && !open) return [401, 403];
  if (code === 'invalid_argument' && hasBody) return [400, 422];
  return [status];
}

/** Returns the response for an error. */
export function problemResponse(status: number, description: string): JsonSchema {
  const header = HEADERS_BY_STATUS[status];
  return {
    description,
    ...(header !== undefined && { headers: { [header]: { $ref: `#/components/headers/${header}` } } }),
    content: { [PROBLEM_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } },
  };
}
