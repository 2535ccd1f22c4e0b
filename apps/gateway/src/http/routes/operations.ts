import type { RouteOptions } from 'fastify';
import type { Exposition } from '../../telemetry/exposition.ts';
import { bodyMembers, parseJson } from '../body.ts';
import { HEALTH, LIVEZ, METRICS, PAGE, READYZ, REVOKE } from '../describe/operations.ts';
import { bodyOf, requireJsonType, sendProblem } from '../http-app.ts';
import { type HttpCalls, REVOCATIONS_PATH, sendJson } from '../http-calls.ts';
import { WS_PATH } from '../listen.ts';
import { plainProblem } from '../problem.ts';
import { STATUS_PAGE, STATUS_PAGE_HEADERS } from '../status-page.ts';

/** Whether the gateway can serve, with the state of each dependency. */
export interface Readiness {
  readonly ready: boolean;
  /** By dependency: `ok`, or what is wrong. */
  readonly dependencies: Readonly<Record<string, string>>;
}

export interface OperationRouteComponents {
  readonly calls: HttpCalls;
  readonly readiness: () => Readiness;
  readonly metrics: Exposition;
}

const RETRY_AFTER_SECONDS = '1';

/** Maximum size of a revocation, which anyone may send. */
const REVOCATION_BYTES = 65_536;

/** Routes for operators and their tools: probes, health, metrics, descriptions, revocations. */
export function operationRoutes({ calls, readiness, metrics }: OperationRouteComponents): RouteOptions[] {
  return [
    {
      method: 'GET',
      url: '/livez',
      config: { operation: LIVEZ },
      handler: (_request, reply) => sendJson(reply, { status: 'alive' }),
    },
    {
      method: 'GET',
      url: '/readyz',
      config: { operation: READYZ },
      handler(_request, reply) {
        const { ready, dependencies } = readiness();
        if (!ready) reply.header('retry-after', RETRY_AFTER_SECONDS);
        return sendJson(reply, { status: ready ? 'ready' : 'not_ready', dependencies }, ready ? 200 : 503);
      },
    },
    {
      method: 'GET',
      url: '/health',
      config: { operation: HEALTH },
      async handler(request, reply) {
        const health = await calls.run(request, 'health', {});
        if (health.status === 'unhealthy') reply.header('retry-after', RETRY_AFTER_SECONDS);
        return sendJson(reply, health, health.status === 'unhealthy' ? 503 : 200);
      },
    },
    {
      method: 'GET',
      url: '/metrics',
      config: { operation: METRICS },
      async handler(request, reply) {
        calls.demandToken(request);
        return reply.type(metrics.contentType).send(await metrics.render());
      },
    },
    {
      method: 'GET',
      url: WS_PATH,
      handler: (_request, reply) =>
        sendProblem(
          reply.headers({ upgrade: 'websocket', connection: 'upgrade, close' }),
          plainProblem(
            426,
            'Upgrade Required',
            'this path serves WebSockets only; a proxy in front of the gateway must pass on the headers Upgrade and Connection',
          ),
        ),
    },
    {
      method: 'GET',
      url: '/',
      config: { operation: PAGE },
      handler: (_request, reply) => reply.headers(STATUS_PAGE_HEADERS).send(STATUS_PAGE),
    },
    {
      method: 'POST',
      url: REVOCATIONS_PATH,
      config: { operation: REVOKE },
      bodyLimit: REVOCATION_BYTES,
      async handler(request, reply) {
        requireJsonType(request);
        return sendJson(
          reply,
          await calls.run(request, 'revokeToken', bodyMembers(parseJson(bodyOf(request)))),
        );
      },
    },
  ];
}
