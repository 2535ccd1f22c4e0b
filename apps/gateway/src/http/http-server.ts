import type { IncomingMessage } from 'node:http';
import type { Channels, Clock, Logger, Subscriptions } from '@esdb-gater/types';
import type { FastifyInstance } from 'fastify';
import type { Admission } from '../access/admission.ts';
import type { Authorizer } from '../access/authorizer.ts';
import type { GrantVerifier } from '../access/grants.ts';
import type { InboundBudget } from '../access/inbound-budget.ts';
import type { OriginGuard } from '../access/origin-guard.ts';
import type { OutboundBudget } from '../access/outbound-budget.ts';
import type { Dispatcher } from '../calls/dispatcher.ts';
import type { GatewayConfig } from '../config/types.ts';
import type { Exposition } from '../telemetry/exposition.ts';
import { hasBody } from './body.ts';
import type { ConnectionBounds } from './connection-bounds.ts';
import { guardOrigins } from './cross-origin.ts';
import { readDashboardFiles } from './dashboard-files.ts';
import { addRoutes, createHttpApp, sendNotFound } from './http-app.ts';
import { createHttpCalls } from './http-calls.ts';
import { channelRoutes } from './routes/channels.ts';
import { dashboardRoutes } from './routes/dashboard.ts';
import { type DescriptionOptions, withDescriptions } from './routes/descriptions.ts';
import { operationRoutes } from './routes/operations.ts';
import type { Readiness } from './routes/probes.ts';
import { snapshotRoutes } from './routes/snapshots.ts';
import { streamRoutes } from './routes/streams.ts';
import { subscriptionRoutes } from './routes/subscriptions.ts';
import type { SseConnections } from './sse-connections.ts';

export interface HttpServerComponents {
  readonly dispatcher: Dispatcher;
  readonly authorizer: Authorizer;
  readonly grants: GrantVerifier;
  readonly channels: Channels;
  readonly subscriptions: Subscriptions;
  readonly streams: SseConnections;
  readonly admission: Admission;
  readonly inbound: InboundBudget;
  readonly outbound: OutboundBudget;
  readonly metrics: Exposition;
  /** Returns the guard for the place where a request arrived. */
  readonly originGuard: (request: IncomingMessage) => OriginGuard;
  readonly readiness: () => Readiness;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly description: DescriptionOptions;
  readonly dashboard: boolean;
}

/** The HTTP half of a gateway. */
export interface HttpServer {
  readonly app: FastifyInstance;
  /** Returns true for a path whose first part is that of a route. */
  owns(path: string): boolean;
}

/** Creates the HTTP half of a gateway, with all its routes. */
export function createHttpServer(
  components: HttpServerComponents,
  config: GatewayConfig,
  bounds: ConnectionBounds,
): HttpServer {
  const app = createHttpApp(config, components.logger, bounds, components.inbound);
  guardOrigins(app, components.originGuard);
  const calls = createHttpCalls(components);
  app.addHook('onRequest', async (request, reply) => {
    // Refused before the body is read, whoever asks.
    if (request.is404) return sendNotFound(request, reply);
    if (hasBody(request.raw) && request.routeOptions.config.refuses !== true) {
      calls.demandTokenBeforeBody(request);
    }
    return undefined;
  });
  const { queueBytes, queueMessages } = config.limits;
  const routes = [
    ...operationRoutes({ ...components, calls }),
    ...(components.dashboard ? dashboardRoutes(readDashboardFiles()) : []),
    ...streamRoutes(calls),
    ...snapshotRoutes(calls),
    ...subscriptionRoutes(calls),
    ...channelRoutes({ ...components, calls }, { queueBytes, queueMessages }),
  ];
  const all = withDescriptions(routes, components.description);
  addRoutes(app, all);
  const first = (path: string): string => /^\/[^/?]*/.exec(path)?.[0] ?? '/';
  const owned = new Set(all.map(({ url }) => first(url)));
  return { app, owns: (path) => owned.has(first(path)) };
}
