import type { RouteOptions } from 'fastify';
import type { Exposition } from '../../telemetry/exposition.ts';
import { bodyMembers, parseJson } from '../body.ts';
import { REVOKE } from '../describe/operations.ts';
import { bodyOf, requireJsonType, sendProblem } from '../http-app.ts';
import { type HttpCalls, REVOCATIONS_PATH, sendJson } from '../http-calls.ts';
import { WS_PATH } from '../listen.ts';
import { plainProblem } from '../problem.ts';
import { probeRoutes, type Readiness } from './probes.ts';

export interface OperationRouteComponents {
  readonly calls: HttpCalls;
  readonly readiness: () => Readiness;
  readonly metrics: Exposition;
}

/** Maximum size of a revocation, which anyone may send. */
const REVOCATION_BYTES = 65_536;

/** Routes for operators and their tools: probes, health, metrics, descriptions, revocations. */
export function operationRoutes({ calls, readiness, metrics }: OperationRouteComponents): RouteOptions[] {
  return [
    ...probeRoutes({
      readiness,
      metrics,
      health: (request) => calls.run(request, 'health', {}),
      demandToken: (request) => calls.demandToken(request),
    }),
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
