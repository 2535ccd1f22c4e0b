import { readFileSync } from 'node:fs';
import type { IncomingMessage, Server } from 'node:http';
import { nextTurn } from '@esdb-gater/primitives';
import { METHOD_NAMES } from '@esdb-gater/protocol';
import { type Clock, LIMITS, type Logger } from '@esdb-gater/types';
import type { FastifyInstance } from 'fastify';
import { createAdmission } from './access/admission.ts';
import { createDiscardBudget } from './access/discard-budget.ts';
import { createInboundBudget } from './access/inbound-budget.ts';
import { createOriginGuard, type OriginGuard } from './access/origin-guard.ts';
import { createOutboundBudget, type OutboundBudget } from './access/outbound-budget.ts';
import type { GatewayConfig } from './config/types.ts';
import type { GatewayCore } from './gateway-core.ts';
import type { ConnectionBounds } from './http/connection-bounds.ts';
import { createHttpServer } from './http/http-server.ts';
import { type MetricsListener, openMetricsListener } from './http/metrics-listener.ts';
import type { Readiness } from './http/routes/probes.ts';
import { createSseConnections } from './http/sse-connections.ts';
import { discardUnreadBodies } from './http/unread-bodies.ts';
import type { Cleanup } from './node/cleanup.ts';
import { SHUTDOWN_SHARES, type ShutdownDeadline } from './node/shutdown-deadline.ts';
import type { Siblings } from './processes/siblings.ts';
import type { GatewayMetrics } from './telemetry/gateway-metrics.ts';
import { createGatewayState } from './telemetry/gateway-state.ts';
import { createUpgradeServer } from './ws/upgrade-server.ts';

export const VERSION: string = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    readonly version: string;
  }
).version;

export interface SurfaceComponents {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly cleanup: Cleanup;
  readonly accepting: () => boolean;
  readonly metrics: GatewayMetrics;
  readonly bounds: ConnectionBounds;
  /** The other processes of the port. */
  readonly siblings: Siblings | undefined;
  /** The WebSocket URL, which is known once the gateway can be reached. */
  readonly url: () => string;
}

export interface SurfaceOptions {
  /** Returns the guard for the place where a request arrived. */
  readonly guardFor: (request: IncomingMessage) => OriginGuard;
  /** The path in front of all paths, such as `/gater`; empty at the root. */
  readonly prefix: string;
  /** @default true */
  readonly dashboard?: boolean;
}

/** The TCP connections below a surface. */
export interface SurfaceSockets {
  /** From now on destroys each connection without a complete request, at once or when its response has been sent. */
  drain(): void;
  /** Resolves when no request is under way any more. */
  idle(): Promise<void>;
  /** Destroys all connections. */
  destroy(): void;
}

/** Everything that callers of a gateway reach by HTTP and WebSocket, whatever port it is reached at. */
export interface GatewaySurface {
  /** Answers its events `request` and `upgrade`. */
  readonly server: Server;
  readonly app: FastifyInstance;
  /** Returns true for a path whose first part is one of the gateway's. */
  owns(path: string): boolean;
  readonly outbound: Pick<OutboundBudget, 'watch'>;
  /** The second listener, when `metrics.port` is set. */
  readonly metrics: MetricsListener | undefined;
  /** Ends all connections: WebSockets with 1001, streams at their end, and what does not go by force. */
  drain(sockets: SurfaceSockets, deadline: ShutdownDeadline): Promise<void>;
}

/** Composes HTTP and WebSocket over the parts of a gateway. @throws `unavailable` when `metrics.port` is in use */
export async function openGatewaySurface(
  core: GatewayCore,
  { clock, logger, cleanup, accepting, metrics, bounds, url }: SurfaceComponents,
  config: GatewayConfig,
  { guardFor, prefix, dashboard = true }: SurfaceOptions,
): Promise<GatewaySurface> {
  const { nodeId, registry, channels, subscriptions, stores, broker, kafka } = core;
  const { dispatcher, authorizer, workers, follows, eventLoop } = core;
  const { grants, authenticator, revocations, identity } = core.security;
  const streams = createSseConnections(clock);
  metrics.observe(
    createGatewayState({
      registry,
      channels,
      broker,
      subscriptions,
      eventLoop,
      connections: () => ({ websocket: upgrades.sessions.size, sse: streams.size }),
      sendQueueBytes: () => {
        let bytes = 0;
        for (const session of upgrades.sessions) bytes += session.queuedBytes();
        return bytes;
      },
      refusedNotifications: () => upgrades.refusedNotifications(),
      closures: () => upgrades.closures(),
    }),
  );
  const readiness = (): Readiness => {
    const { status, message } = broker.health();
    const dependencies = {
      ...stores.readiness(),
      broker: status === 'unhealthy' ? (message ?? status) : 'ok',
      ...(kafka && { revocations: revocations.complete ? 'ok' : 'not completely read yet' }),
      gateway: accepting() ? 'ok' : 'stopping',
    };
    return { ready: Object.values(dependencies).every((word) => word === 'ok'), dependencies };
  };
  const inbound = createInboundBudget(bounds.inboundBytes);
  const outbound = createOutboundBudget(clock, {
    maxBytes: bounds.outboundBytes,
    stalledMs: bounds.outboundStalledMs,
  });
  cleanup.defer(() => outbound.close());
  const discards = createDiscardBudget(clock, {
    maxBytes: bounds.discardedBytes,
    bytesPerSecond: bounds.discardedBytesPerSecond,
    closeAfterMs: bounds.refusedCloseMs,
  });
  const shared = {
    inbound,
    outbound,
    dispatcher,
    authorizer,
    grants,
    channels,
    subscriptions,
    admission: createAdmission(config.limits),
    originGuard: guardFor,
    clock,
    logger,
  };
  const { app, owns } = createHttpServer(
    {
      ...shared,
      streams,
      metrics: metrics.exposition,
      readiness,
      description: { version: VERSION, tokensRequired: requiresTokens(config), url, prefix },
      dashboard,
    },
    config,
    bounds,
  );
  discardUnreadBodies(app.server, discards);
  const hello = {
    gatewayDid: identity.did,
    nodeId,
    version: VERSION,
    capabilities: config.security.capabilities,
    methods: METHOD_NAMES,
    limits: {
      frameBytes: config.limits.frameBytes,
      messageBytes: config.limits.messageBytes,
      inFlight: config.limits.inFlightPerConnection,
      batch: LIMITS.batchRequests,
    },
  };
  const upgrades = createUpgradeServer(
    app.server,
    { ...shared, authenticator, workers, follows, peers: core.cluster?.acceptor, accepting, discards },
    { ...config.limits, realm: config.realm, hello, bounds },
  );
  revocations.onRevoked(() => {
    for (const session of upgrades.sessions) session.recheckGrants();
    streams.recheckGrants();
  });
  core.onRecordsMissed(() => {
    for (const session of upgrades.sessions) session.endSubscriptions('messages may have been missed');
    streams.close();
  });
  cleanup.defer(() => app.close());

  const listener = await openMetricsListener(
    {
      logger,
      metrics: metrics.exposition,
      readiness,
      health: () => core.health.health(),
      inbound,
      outbound,
      discards,
    },
    config,
    bounds,
  );
  cleanup.defer(() => listener?.destroy());
  return {
    server: app.server,
    app,
    owns,
    outbound,
    metrics: listener,
    async drain(sockets, deadline) {
      // The answers of this turn are sent before the close frames.
      await nextTurn();
      streams.close();
      sockets.drain();
      if (!(await deadline.within(upgrades.close(), SHUTDOWN_SHARES.webSockets))) upgrades.terminate();
      sockets.drain();
      if (!(await deadline.within(sockets.idle(), SHUTDOWN_SHARES.requests))) sockets.destroy();
    },
  };
}

/** Creates the guard of a surface that is reached at `host` and `port`. */
export function createSurfaceGuard(
  logger: Logger,
  config: GatewayConfig,
  at: { readonly host: string; readonly port: number; readonly tls: boolean },
): OriginGuard {
  return createOriginGuard(
    { logger },
    {
      ...at,
      advertiseUrl: config.advertiseUrl,
      allowedOrigins: config.http.allowedOrigins,
      tokensRequired: requiresTokens(config),
    },
  );
}

/** Returns true when a call needs a token on every channel, too. */
function requiresTokens({ security, channels }: GatewayConfig): boolean {
  const modes = Object.values(channels).map(({ capabilities }) => capabilities ?? security.capabilities);
  return [security.capabilities, ...modes].every((mode) => mode === 'required');
}
