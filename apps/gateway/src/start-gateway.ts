import { readFileSync } from 'node:fs';
import type { Server as TlsServer } from 'node:tls';
import { finishesWithin, nextTurn } from '@esdb-gater/primitives';
import { METHOD_NAMES } from '@esdb-gater/protocol';
import { type Clock, LIMITS, type Logger, systemClock } from '@esdb-gater/types';
import { createAdmission } from './access/admission.ts';
import { createDiscardBudget } from './access/discard-budget.ts';
import { createInboundBudget } from './access/inbound-budget.ts';
import { createOriginGuard, type OriginGuard } from './access/origin-guard.ts';
import { createOutboundBudget } from './access/outbound-budget.ts';
import type { GatewayConfig } from './config/types.ts';
import { type GatewayCore, openGatewayCore } from './gateway-core.ts';
import { CONNECTION_BOUNDS, type ConnectionBounds } from './http/connection-bounds.ts';
import { createHttpServer } from './http/http-server.ts';
import { type Listening, listen } from './http/listen.ts';
import { type MetricsListener, openMetricsListener } from './http/metrics-listener.ts';
import { watchSockets } from './http/port-sockets.ts';
import type { Readiness } from './http/routes/probes.ts';
import { createSseConnections } from './http/sse-connections.ts';
import { readCertificate } from './http/tls-certificate.ts';
import { discardUnreadBodies } from './http/unread-bodies.ts';
import { Cleanup } from './node/cleanup.ts';
import { createLog } from './node/log.ts';
import { createLogOutput, type LogOutput } from './node/log-output.ts';
import { createShutdownDeadline, SHUTDOWN_SHARES, type ShutdownDeadline } from './node/shutdown-deadline.ts';
import {
  createGatewayLabels,
  createGatewayMetrics,
  type GatewayMetrics,
} from './telemetry/gateway-metrics.ts';
import { createGatewayState } from './telemetry/gateway-state.ts';
import { createOpenTelemetry } from './telemetry/open-telemetry.ts';
import { createUpgradeServer } from './ws/upgrade-server.ts';

export interface GatewayComponents {
  /** Receives the whole log. @default JSON lines to `logOutput` */
  readonly logger?: Logger;
  /** @default standard output */
  readonly logOutput?: LogOutput;
  readonly clock?: Clock;
  /** Replaces some bounds of the port, for tests. */
  readonly bounds?: Partial<ConnectionBounds>;
}

/** A running gateway. */
export interface RunningGateway {
  /** The WebSocket URL. */
  readonly url: string;
  readonly port: number;
  readonly nodeId: string;
  readonly did: string;
  /** The address of the second listener, when `metrics.port` is set. */
  readonly metricsUrl: string | undefined;
  /**
   * Stops gracefully: readiness turns false, new work is refused with `unavailable`, work in flight ends, sockets
   * close with 1001, checkpoints are flushed. Resolves within `shutdown.graceMs` and a moment. Repeated calls wait
   * for the first.
   */
  close(): Promise<void>;
  /**
   * Reads the certificate and its key again, for new connections. When they are wrong, logs what is and keeps the old
   * ones. Returns false without TLS.
   */
  reloadCertificate(): boolean;
  [Symbol.asyncDispose](): Promise<void>;
}

const VERSION = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    readonly version: string;
  }
).version;

/**
 * Composes and starts a gateway.
 *
 * @throws `unavailable` when the data folder, a store's file or the port is in use
 */
export async function startGateway(
  config: GatewayConfig,
  components: GatewayComponents = {},
): Promise<RunningGateway> {
  const clock = components.clock ?? systemClock;
  const bounds = { ...CONNECTION_BOUNDS, ...components.bounds };
  const labels = createGatewayLabels(Object.keys(config.stores));
  const openTelemetry = createOpenTelemetry({ env: process.env, clock, labels });
  const {
    logger,
    listening,
    close: closeLog,
  } = createLog(config, {
    logger: components.logger,
    output: components.logOutput ?? createLogOutput(process.stdout, clock),
    clock,
    fields: openTelemetry.logFields,
  });
  const cleanup = new Cleanup();
  cleanup.defer(closeLog);
  // Ends last, so that it exports the spans of all other parts.
  cleanup.defer(() => openTelemetry.stop());
  // Before the stores are opened, so that their workers are counted.
  const metrics = createGatewayMetrics(labels);
  cleanup.defer(() => metrics.close());
  const startTelemetry = (nodeId: string): Promise<void> =>
    openTelemetry.start({ nodeId, version: VERSION }, logger);
  let stopping = false;
  let url = config.advertiseUrl ?? '';
  const accepting = (): boolean => !stopping;
  try {
    const core = await openGatewayCore(
      { clock, logger, cleanup, accepting, url: () => url, startTelemetry },
      config,
    );
    const port = await openPort(
      core,
      { clock, logger, cleanup, accepting, metrics, bounds, url: () => url },
      config,
    );
    url = port.url;
    const { nodeId, cluster } = core;
    cluster?.begin(url);
    const { did } = core.security.identity;
    const stop = async (): Promise<void> => {
      stopping = true;
      const deadline = createShutdownDeadline(clock, config.shutdown.graceMs);
      const idle = async (): Promise<void> => {
        await cluster?.leave();
        await Promise.all([core.dispatcher.idle(), cluster?.idle()]);
      };
      await deadline.within(idle(), SHUTDOWN_SHARES.calls);
      await port.drain(deadline);
      // Last of the sockets: until then the probes are told that this node is going.
      await port.metrics?.close(deadline, SHUTDOWN_SHARES.probes);
      // A step may use half of the time that is left, so that one that hangs leaves time for all that follow.
      await cleanup
        .run((step) => finishesWithin(step, deadline.leftMs(SHUTDOWN_SHARES.cleanup) / 2, clock))
        .catch((error: unknown) => logger.error({ err: error }, 'a part failed to close'));
      logger.info({ nodeId }, 'stopped');
    };
    let stopped: Promise<void> | undefined;
    const close = (): Promise<void> => (stopped ??= stop());
    const metricsUrl = port.metrics?.url;
    listening({ url, nodeId, did, ...(metricsUrl === undefined ? {} : { metricsUrl }) });
    const { reloadCertificate } = port;
    return {
      url,
      port: port.port,
      nodeId,
      did,
      metricsUrl,
      close,
      reloadCertificate,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    // The first error is reported, even if closing what was opened fails too.
    await cleanup.run().catch(() => undefined);
    throw error;
  }
}

/** Returns true when a call needs a token on every channel, too. */
function requiresTokens({ security, channels }: GatewayConfig): boolean {
  const modes = Object.values(channels).map(({ capabilities }) => capabilities ?? security.capabilities);
  return [security.capabilities, ...modes].every((mode) => mode === 'required');
}

interface PortComponents {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly cleanup: Cleanup;
  readonly accepting: () => boolean;
  readonly metrics: GatewayMetrics;
  readonly bounds: ConnectionBounds;
  /** The WebSocket URL, which is known once the port is bound. */
  readonly url: () => string;
}

/** The port of a gateway. */
interface OpenPort extends Listening {
  readonly metrics: MetricsListener | undefined;
  /** Closes all connections: WebSockets with 1001, streams at their end, and what does not go by force. */
  reloadCertificate(): boolean;
  drain(deadline: ShutdownDeadline): Promise<void>;
}

/** Serves WebSocket and HTTP on one port. */
async function openPort(
  core: GatewayCore,
  { clock, logger, cleanup, accepting, metrics, bounds, url }: PortComponents,
  config: GatewayConfig,
): Promise<OpenPort> {
  const { nodeId, registry, channels, subscriptions, stores, broker, kafka } = core;
  const { dispatcher, authorizer, workers, follows, eventLoop } = core;
  const { grants, authenticator, revocations, identity } = core.security;
  const admission = createAdmission(config.limits);
  const streams = createSseConnections(clock);
  // The guard knows its own origins once the port is bound; no request arrives earlier.
  const guardFor = (port: number): OriginGuard =>
    createOriginGuard(
      { logger },
      {
        host: config.host,
        port,
        tls: config.tls.certFile !== null,
        advertiseUrl: config.advertiseUrl,
        allowedOrigins: config.http.allowedOrigins,
        tokensRequired: requiresTokens(config),
      },
    );
  let guard = guardFor(config.port);
  const originGuard = (): OriginGuard => guard;
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
    admission,
    originGuard,
    clock,
    logger,
  };
  const app = createHttpServer(
    {
      ...shared,
      streams,
      metrics: metrics.exposition,
      readiness,
      description: { version: VERSION, tokensRequired: requiresTokens(config), url },
    },
    config,
    bounds,
  );
  discardUnreadBodies(app.server, discards);
  const { connections, connectionsPerAddress } = config.limits;
  const sockets = watchSockets(app.server, {
    maxSockets: connections + bounds.spareSockets,
    outbound,
    tls: config.tls.certFile !== null,
    maxPerAddress: connectionsPerAddress && connectionsPerAddress + bounds.spareSocketsPerAddress,
  });
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
  const bound = await listen(app, config);
  guard = guardFor(bound.port);
  return {
    ...bound,
    metrics: listener,
    reloadCertificate() {
      if (config.tls.certFile === null) return false;
      try {
        (app.server as unknown as TlsServer).setSecureContext(readCertificate(config.tls) ?? {});
        logger.info({ certFile: config.tls.certFile }, 'reloaded the TLS certificate');
      } catch (error) {
        logger.error({ err: error }, 'cannot reload the TLS certificate; the old one stays in use');
      }
      return true;
    },
    async drain(deadline) {
      // The answers of this turn are sent before the close frames.
      await nextTurn();
      streams.close();
      sockets.drain();
      if (!(await deadline.within(upgrades.close(), SHUTDOWN_SHARES.webSockets))) upgrades.terminate();
      sockets.drain();
      if (!(await deadline.within(app.close(), SHUTDOWN_SHARES.requests))) sockets.destroy();
    },
  };
}
