import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { findHostError, forbiddenRequest, type OriginGuard } from '../access/origin-guard.ts';
import { sendProblem } from './http-app.ts';
import { pathOf, problemOf } from './problem.ts';

/** Probes arrive under any host name, and reveal nothing. */
export const OPEN_PATHS: ReadonlySet<string> = new Set(['/livez', '/readyz']);

const PREFLIGHT_SECONDS = '600';

const ALLOWED_HEADERS = ['authorization', 'content-type', 'last-event-id', 'traceparent', 'tracestate'];

/** Attributes of a CloudEvent in binary mode, which callers name themselves. */
const CLOUD_EVENT_HEADER = /^ce-[a-z0-9]{1,64}$/;

/** Returns the headers that a page may send: the known ones, and the attributes of CloudEvents that it asks for. */
function allowedHeaders(requested = ''): string {
  const names = requested.split(',', MAX_REQUESTED).map((name) => name.trim().toLowerCase());
  return [...ALLOWED_HEADERS, ...names.filter((name) => CLOUD_EVENT_HEADER.test(name))].join(', ');
}

const MAX_REQUESTED = 100;

/** Refuses requests from pages of other origins, and lets pages of allowed origins read the answers. */
export function guardOrigins(
  app: FastifyInstance,
  guardFor: (request: IncomingMessage) => OriginGuard,
): void {
  app.addHook('onRequest', async (request, reply) => {
    const { host, origin } = request.headers;
    const hostError = findHostError(request.raw);
    if (hostError !== undefined) return sendProblem(reply, problemOf(hostError, { status: 400 }));
    if (OPEN_PATHS.has(pathOf(request.raw))) return;
    const verdict = guardFor(request.raw).check({ host, origin });
    if (verdict !== 'allowed') throw forbiddenRequest(verdict);
    if (origin === undefined) return;
    reply.header('access-control-allow-origin', origin).header('vary', 'Origin');
    if (request.method !== 'OPTIONS') return;
    reply
      .header('access-control-allow-methods', 'GET, POST, PUT, DELETE')
      .header(
        'access-control-allow-headers',
        allowedHeaders(request.headers['access-control-request-headers']),
      )
      .header('access-control-max-age', PREFLIGHT_SECONDS);
    await reply.code(204).send();
  });
}
