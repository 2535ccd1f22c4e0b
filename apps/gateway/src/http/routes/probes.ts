import type { HealthResult } from '@esdb-gater/protocol';
import type { FastifyRequest, RouteOptions } from 'fastify';
import type { Exposition } from '../../telemetry/exposition.ts';
import { HEALTH, LIVEZ, METRICS, READYZ } from '../describe/operations.ts';
import { expositionFormat } from '../exposition-format.ts';
import { sendJson } from '../http-calls.ts';

/** Whether the gateway can serve, with the state of each dependency. */
export interface Readiness {
  readonly ready: boolean;
  /** By dependency: `ok`, or what is wrong. */
  readonly dependencies: Readonly<Record<string, string>>;
}

export interface ProbeRouteComponents {
  readonly readiness: () => Readiness;
  readonly health: (request: FastifyRequest) => Promise<HealthResult>;
  readonly metrics: Exposition;
  /** Throws when the request may not read the metrics. */
  readonly demandToken: (request: FastifyRequest) => void;
}

const RETRY_AFTER_SECONDS = '1';

/** Routes for machines that watch the gateway: probes, health and metrics. Both listeners serve them. */
export function probeRoutes({
  readiness,
  health,
  metrics,
  demandToken,
}: ProbeRouteComponents): RouteOptions[] {
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
        const result = await health(request);
        if (result.status === 'unhealthy') reply.header('retry-after', RETRY_AFTER_SECONDS);
        return sendJson(reply, result, result.status === 'unhealthy' ? 503 : 200);
      },
    },
    {
      method: 'GET',
      url: '/metrics',
      config: { operation: METRICS },
      async handler(request, reply) {
        demandToken(request);
        const { contentType, text } = await metrics.render(expositionFormat(request.headers.accept));
        return reply.header('vary', 'accept').type(contentType).send(text);
      },
    },
  ];
}
