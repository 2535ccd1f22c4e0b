import { readFileSync } from 'node:fs';
import { nextTurn } from '@esdb-gater/primitives';
import { METHOD_NAMES } from '@esdb-gater/protocol';
import { type Clock, type Logger, systemClock } from '@esdb-gater/types';
import { createAdmission } from './access/admission.ts';
import { createOriginGuard, type OriginGuard } from './access/origin-guard.ts';
import { isServed } from './calls/dispatcher.ts';
import { assertSupported } from './config/not-yet.ts';
import type { GatewayConfig } from './config/types.ts';
import { type GatewayCore, openGatewayCore } from './gateway-core.ts';
import { createHttpServer } from './http/http-server.ts';
import { type Listening, listen } from './http/listen.ts';
import type { Readiness } from './http/routes/operations.ts';
import { createSseConnections } from './http/sse-connections.ts';
import { Cleanup } from './node/cleanup.ts';
import { createLog } from './node/log.ts';
import { createLogOutput, type LogOutput } from './node/log-output.ts';
import { createShutdownDeadline, type ShutdownDeadline } from './node/shutdown-deadline.ts';
import {
  createGatewayLabels,
  createGatewayMetrics,
  type GatewayMetrics,
} from './telemetry/gateway-metrics.ts';
import { createGatewayState } from './telemetry/gateway-state.ts';
import { createOpenTelemetry } from './telemetry/open-telemetry.ts';
import { createUpgradeServer } from './ws/upgrade-server.ts';

export interface GatewayComponents {
  /** Takes the whole log. @default JSON lines to `logOutput` */
  readonly logger?: Logger;
  /** @default standard output */
  readonly logOutput?: LogOutput;
  readonly clock?: Clock;
}

/** A gateway that serves. */
export interface RunningGateway {
  /** The WebSocket URL. */
  readonly url: string;
  readonly port: number;
  readonly nodeId: string;
  readonly did: string;
  /**
   * Stops gracefully: readiness turns false, new work is refused with `unavailable`, work in flight ends, sockets
   * close with 1001, checkpoints are flushed. Resolves within `shutdown.graceMs` and a moment. Repeated calls wait
   * for the first.
   */
  close(): Promise<void>;
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
 * @throws `not_supported` for a setting whose feature is not there, `unavailable` when the data folder, a store's
 * file or the port is in use
 */
export async function startGateway(
  config: GatewayConfig,
  components: GatewayComponents = {},
): Promise<RunningGateway> {
  assertSupported(config);
  const clock = components.clock ?? systemClock;
  const labels = createGatewayLabels(Object.keys(config.stores));
  const openTelemetry = createOpenTelemetry({ env: process.env, clock, labels });
  const { logger, listening } = createLog(config, {
    logger: components.logger,
    output: components.logOutput ?? createLogOutput(process.stdout, clock),
    fields: openTelemetry.logFields,
  });
  const cleanup = new Cleanup();
  // The last thing that ends, so that it tells of all the others.
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
    const port = await openPort(core, { clock, logger, cleanup, accepting, metrics }, config);
    url = port.url;
    const { nodeId } = core;
    const { did } = core.security.identity;
    const stop = async (): Promise<void> => {
      stopping = true;
      const deadline = createShutdownDeadline(clock, config.shutdown.graceMs);
      await deadline.within(core.dispatcher.idle());
      await port.drain(deadline);
      const closed = await deadline.within(
        cleanup.run().catch((error: unknown) => logger.error({ err: error }, 'something did not close')),
      );
      if (!closed) logger.warn({}, 'the grace period ended before everything was closed');
      logger.info({ nodeId }, 'stopped');
    };
    let stopped: Promise<void> | undefined;
    const close = (): Promise<void> => (stopped ??= stop());
    listening({ url, nodeId, did });
    return { url, port: port.port, nodeId, did, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    // What was wrong first is told, whatever else goes wrong while what was opened is closed.
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
}

/** The port of a gateway. */
interface OpenPort extends Listening {
  /** Closes all connections: WebSockets with 1001, streams at their end, and what does not go by force. */
  drain(deadline: ShutdownDeadline): Promise<void>;
}

/** Serves WebSocket and HTTP on one port. */
async function openPort(
  core: GatewayCore,
  { clock, logger, cleanup, accepting, metrics }: PortComponents,
  config: GatewayConfig,
): Promise<OpenPort> {
  const { nodeId, registry, channels, stores, broker, kafka, dispatcher, authorizer, workers, eventLoop } =
    core;
  const { grants, authenticator, revocations, identity } = core.security;
  const admission = createAdmission(config.limits);
  const streams = createSseConnections(clock);
  // The guard knows its own origins when the port is known; nothing comes before.
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
      ...(kafka && { revocations: revocations.complete ? 'ok' : 'not read to their end yet' }),
      gateway: accepting() ? 'ok' : 'stopping',
    };
    return { ready: Object.values(dependencies).every((word) => word === 'ok'), dependencies };
  };
  const shared = { dispatcher, authorizer, grants, channels, admission, originGuard, clock, logger };
  const app = createHttpServer({ ...shared, streams, metrics: metrics.exposition, readiness }, config);
  const hello = {
    gatewayDid: identity.did,
    nodeId,
    version: VERSION,
    capabilities: config.security.capabilities,
    methods: METHOD_NAMES.filter(isServed),
  };
  const upgrades = createUpgradeServer(
    app.server,
    { ...shared, authenticator, workers, accepting },
    { ...config.limits, realm: config.realm, hello },
  );
  revocations.onRevoked(() => {
    for (const session of upgrades.sessions) session.recheckGrants();
    streams.recheckGrants();
  });
  cleanup.defer(() => app.close());

  const bound = await listen(app, config);
  guard = guardFor(bound.port);
  return {
    ...bound,
    async drain(deadline) {
      // Answers of this turn go out before the close frames do.
      await nextTurn();
      streams.close();
      if (!(await deadline.within(upgrades.close()))) upgrades.terminate();
      if (!(await deadline.within(app.close()))) app.server.closeAllConnections();
    },
  };
}
