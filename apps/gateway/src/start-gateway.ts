import { readFileSync } from 'node:fs';
import { createChannels } from '@esdb-gater/channels';
import { createStoreCaller } from '@esdb-gater/client';
import { createStoreWorker } from '@esdb-gater/event-store';
import { createRegistry } from '@esdb-gater/registry';
import { attachDefaultHandler, setLogger } from '@esdb-gater/telemetry';
import { type Clock, type Logger, systemClock } from '@esdb-gater/types';
import { openBroker } from './brokers/open-broker.ts';
import { createDispatcher } from './calls/dispatcher.ts';
import { createHandlers } from './calls/handlers.ts';
import { createHealthMonitor } from './calls/health.ts';
import { createWorkerHost } from './calls/worker-host.ts';
import { assertSupported } from './config/supported.ts';
import type { GatewayConfig } from './config/types.ts';
import { createHttpServer } from './http/http-server.ts';
import { listen } from './http/listen.ts';
import { createOriginGuard, type OriginGuard } from './http/origin-guard.ts';
import type { Readiness } from './http/routes/operations.ts';
import { createEventLoopMonitor } from './metrics/event-loop.ts';
import { createGatewayMetrics } from './metrics/gateway-metrics.ts';
import { nodeIdOf, openDataDir } from './node/data-dir.ts';
import { createGrace } from './node/grace.ts';
import { createLog, telemetryLogger } from './node/log.ts';
import { createAuthorizer } from './security/authorizer.ts';
import { openGatewaySecurity } from './security/gateway-security.ts';
import { createStreamRegistry } from './security/live-streams.ts';
import { createFeedHost } from './stores/feed-host.ts';
import { openStores } from './stores/open-stores.ts';
import { createAdmission } from './ws/admission.ts';
import { CONNECTION_METHODS } from './ws/session.ts';
import { createUpgradeServer } from './ws/upgrade-server.ts';

export interface GatewayComponents {
  /** @default JSON lines on standard output */
  readonly logger?: Logger;
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
  const { logger, listening } = createLog(config, components.logger);
  // What was opened is closed again in reverse order, also when something further down fails.
  await using opening = new AsyncDisposableStack();

  const dataDir = await openDataDir(config.dataDir);
  opening.defer(() => dataDir.release());
  const nodeId = await nodeIdOf(dataDir, config.nodeId);
  setLogger(logger);
  if (config.telemetry.handlers.includes('logger')) attachDefaultHandler(telemetryLogger(logger));

  const { policy, maxFailures } = config.registry;
  const registry = createRegistry({ clock, logger }, { nodeId, policy, maxFailures });
  opening.defer(() => registry.close());
  const stores = await openStores(config.stores, { dataDir, registry, clock, logger });
  opening.defer(() => stores.close());
  for (const store of stores.local) registry.register(createStoreWorker(store, { nodeId, clock }));

  const caller = createStoreCaller({ registry, clock }, config.retry);
  const feeds = createFeedHost({ dataDir, registry, local: stores.local, clock, logger }, config);
  const broker = openBroker({ fedSource: feeds.source, clock, logger }, config);
  opening.defer(() => broker.close());
  opening.defer(() => feeds.close());

  const security = await openGatewaySecurity({ dataDir, clock, logger }, config);
  const eventLoop = createEventLoopMonitor(clock);
  opening.defer(() => eventLoop.close());
  const channels = createChannels(
    { broker, clock, logger, signatures: security.signatures, overloaded: eventLoop.isBehind },
    { channels: config.channels, realm: config.realm, messageBytes: config.limits.messageBytes },
  );
  opening.defer(() => channels.close());
  const { grants, presenter, revocations } = security;
  opening.defer(await revocations.follow(channels));
  feeds.begin(broker);

  const authorizer = createAuthorizer(config);
  let stopping = false;
  let url = config.advertiseUrl ?? '';
  const health = createHealthMonitor(
    { registry, broker, eventLoop, clock, feeds: () => feeds.complaints() },
    { nodeId, url: () => url },
  );
  const dispatcher = createDispatcher(
    {
      authorizer,
      handlers: createHandlers({ stores: caller, channels, registry, health, authorizer, revocations }),
      accepting: () => !stopping,
    },
    { messageBytes: config.limits.messageBytes },
  );
  const workers = createWorkerHost(
    { registry, clock, onWorker: (worker) => feeds.workerRegistered(worker), onRefused: health.refused },
    { nodeId, stores: config.stores },
  );

  const admission = createAdmission(config.limits);
  const streams = createStreamRegistry(clock);
  let guard: OriginGuard | undefined;
  const guardOptions = {
    host: config.host,
    tls: config.tls.certFile !== null,
    advertiseUrl: config.advertiseUrl,
    allowedOrigins: config.http.allowedOrigins,
  };
  const originGuard = (): OriginGuard =>
    (guard ??= createOriginGuard({ ...guardOptions, port: config.port }));
  const metrics = createGatewayMetrics({
    registry,
    channels,
    eventLoop,
    connections: () => ({ websocket: upgrades.sessions.size, sse: streams.size }),
    refusedNotifications: () => upgrades.refusedNotifications(),
  });
  opening.defer(() => metrics.close());
  const readiness = (): Readiness => {
    const dependencies = {
      ...stores.readiness(),
      broker: readyWord(broker.health()),
      gateway: stopping ? 'stopping' : 'ok',
    };
    return { ready: Object.values(dependencies).every((word) => word === 'ok'), dependencies };
  };
  const app = createHttpServer(
    {
      dispatcher,
      authorizer,
      grants,
      channels,
      streams,
      admission,
      metrics: metrics.registry,
      originGuard,
      readiness,
      clock,
      logger,
    },
    config,
  );
  const upgrades = createUpgradeServer(
    app.server,
    {
      dispatcher,
      authorizer,
      grants,
      presenter,
      channels,
      workers,
      admission,
      originGuard,
      accepting: () => !stopping,
      clock,
      logger,
    },
    {
      ...config.limits,
      realm: config.realm,
      hello: {
        gatewayDid: security.identity.did,
        nodeId,
        version: VERSION,
        capabilities: config.security.capabilities,
        methods: [...dispatcher.methods, ...CONNECTION_METHODS],
      },
    },
  );
  revocations.onRevoked(() => {
    for (const session of upgrades.sessions) session.recheckGrants();
    streams.recheckGrants();
  });
  opening.defer(() => app.close());

  const bound = await listen(app, config);
  guard = createOriginGuard({ ...guardOptions, port: bound.port });
  url = bound.url;
  const opened = opening.move();

  async function stop(): Promise<void> {
    stopping = true;
    const grace = createGrace(clock, config.shutdown.graceMs);
    await grace.within(dispatcher.idle());
    // Answers of this turn go out before the close frames do.
    await new Promise((resolve) => setImmediate(resolve));
    streams.close();
    if (!(await grace.within(upgrades.close()))) upgrades.terminate();
    if (!(await grace.within(app.close()))) app.server.closeAllConnections();
    if (!(await grace.within(opened.disposeAsync())))
      logger.warn({}, 'the grace period ended before everything was closed');
    logger.info({ nodeId }, 'stopped');
  }

  let stopped: Promise<void> | undefined;
  const close = (): Promise<void> => (stopped ??= stop());
  listening({ url, nodeId, did: security.identity.did });
  return { url, port: bound.port, nodeId, did: security.identity.did, close, [Symbol.asyncDispose]: close };
}

function readyWord({ status, message }: { readonly status: string; readonly message?: string }): string {
  return status === 'unhealthy' ? (message ?? status) : 'ok';
}
