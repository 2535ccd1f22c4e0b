import type { FastifyInstance } from 'fastify';
import { forbiddenRequest, type OriginGuard } from '../access/origin-guard.ts';

/** Probes arrive under any host name, and reveal nothing. */
const OPEN_PATHS: ReadonlySet<string> = new Set(['/livez', '/readyz']);

const PREFLIGHT_SECONDS = '600';

/** Refuses requests from pages of other origins, and lets pages of allowed origins read the answers. */
export function guardOrigins(app: FastifyInstance, guard: () => OriginGuard): void {
  app.addHook('onRequest', async (request, reply) => {
    const { host, origin } = request.headers;
    if (OPEN_PATHS.has(request.url)) return;
    const verdict = guard().check({ host, origin });
    if (verdict !== 'allowed') throw forbiddenRequest(verdict);
    if (origin === undefined) return;
    reply.header('access-control-allow-origin', origin).header('vary', 'Origin');
    if (request.method !== 'OPTIONS') return;
    reply
      .header('access-control-allow-methods', 'GET, POST, PUT, DELETE')
      .header(
        'access-control-allow-headers',
        'authorization, content-type, last-event-id, traceparent, tracestate',
      )
      .header('access-control-max-age', PREFLIGHT_SECONDS);
    await reply.code(204).send();
  });
}
