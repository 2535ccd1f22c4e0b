import type { FastifyInstance } from 'fastify';
import { forbiddenRequest, hostProblem, type OriginGuard } from '../access/origin-guard.ts';
import { sendProblem } from './http-app.ts';
import { plainProblem } from './problem.ts';

/** Probes come under any name, and tell nothing. */
const OPEN_PATHS: ReadonlySet<string> = new Set(['/livez', '/readyz']);

const PREFLIGHT_SECONDS = '600';

/** Refuses requests of foreign pages, and lets those of allowed origins read the answers. */
export function guardOrigins(app: FastifyInstance, guard: () => OriginGuard): void {
  app.addHook('onRequest', async (request, reply) => {
    const { host, origin } = request.headers;
    const problem = hostProblem(request.raw);
    if (problem !== undefined) return sendProblem(reply, plainProblem(400, 'Bad Request', problem));
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
