import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { DashboardFiles } from '../dashboard-files.ts';
import { PAGE } from '../describe/operations.ts';
import { sendNotFound, sendProblem } from '../http-app.ts';
import { pathOf, plainProblem } from '../problem.ts';

/** Routes of the dashboard's files. They contain nothing from a store or a caller, and need no token. */
export function dashboardRoutes(files: DashboardFiles): RouteOptions[] {
  const handler = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const file = files.get(pathOf(request.raw));
    if (file === undefined) return sendNotFound(request, reply);
    reply.headers(file.headers);
    if (request.headers['if-none-match'] === file.headers['etag']) return reply.code(304).send();
    if (!acceptsGzip(request)) return reply.send(file.body);
    return reply.header('content-encoding', 'gzip').send(await file.gzipped());
  };
  const page: RouteOptions = { method: 'GET', url: '/', config: { operation: PAGE }, handler };
  if (files.size === 0) return [{ ...page, handler: sendNotBuilt }];
  return [
    page,
    { method: 'GET', url: '/favicon.svg', handler },
    { method: 'GET', url: '/assets/:file', handler },
  ];
}

async function sendNotBuilt(_request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const detail = 'the dashboard is not built; run `npm run build`';
  return sendProblem(reply, plainProblem(503, 'Service Unavailable', detail));
}

function acceptsGzip({ headers }: FastifyRequest): boolean {
  return /(?:^|,)\s*gzip\s*(?:,|$)/.test(headers['accept-encoding']?.toString() ?? '');
}
