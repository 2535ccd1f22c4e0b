import { createGater, type LocalGater } from '@esdb-gater/client';
import { finishesWithin } from '@esdb-gater/primitives';
import { type Clock, type Logger, systemClock } from '@esdb-gater/types';
import { configError } from './config/config-error.ts';
import type { GatewayConfig } from './config/types.ts';
import { type GatewayCore, openGatewayCore } from './gateway-core.ts';
import { type SurfaceComponents, VERSION } from './gateway-surface.ts';
import { CONNECTION_BOUNDS, type ConnectionBounds } from './http/connection-bounds.ts';
import type { MetricsListener } from './http/metrics-listener.ts';
import { Cleanup } from './node/cleanup.ts';
import { createLog } from './node/log.ts';
import { createLogOutput, type LogOutput } from './node/log-output.ts';
import { createShutdownDeadline, SHUTDOWN_SHARES, type ShutdownDeadline } from './node/shutdown-deadline.ts';
import type { Siblings } from './processes/siblings.ts';
import { createGatewayLabels, createGatewayMetrics } from './telemetry/gateway-metrics.ts';
import { createOpenTelemetry } from './telemetry/open-telemetry.ts';

export interface GatewayComponents {
  /** Receives the whole log. @default JSON lines to `logOutput` */
  readonly logger?: Logger;
  /** @default standard output */
  readonly logOutput?: LogOutput;
  readonly clock?: Clock;
  /** Replaces some bounds of the port, for tests. */
  readonly bounds?: Partial<ConnectionBounds>;
}

/** The parts of a gateway that is one of several processes. */
export interface ProcessComponents extends GatewayComponents {
  readonly siblings?: Siblings;
}

/** Where callers reach a gateway: its own port, or a server of the program. */
export interface Entrance {
  /** The second listener, when `metrics.port` is set. */
  readonly metrics: MetricsListener | undefined;
  /** The WebSocket URL for the other nodes, when it is not the one of callers. */
  readonly peerUrl?: string | undefined;
  /** Calls `then` once with the WebSocket URL, as soon as callers reach the gateway at it. */
  whenReachable(then: (url: string) => void): void;
  /** Ends all connections: WebSockets with 1001, streams at their end, and what does not go by force. */
  drain(deadline: ShutdownDeadline): Promise<void>;
}

/** A gateway that runs, wherever it is reached. */
export interface ComposedGateway {
  readonly nodeId: string;
  readonly did: string;
  /**
   * The gateway's stores, channels, subscriptions and follows for the program itself, without a connection and without
   * tokens. Calls that name no store use the only one, else `default`. It ends with the gateway; `close` of it ends only
   * what the program has opened with it.
   */
  readonly gater: LocalGater;
  /** The address of the second listener, when `metrics.port` is set. */
  readonly metricsUrl: string | undefined;
  /**
   * Stops gracefully: readiness turns false, new work is refused with `unavailable`, work in flight ends, sockets
   * close with 1001, checkpoints are flushed. Resolves within `shutdown.graceMs` and a moment. Repeated calls wait
   * for the first.
   */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Composes a gateway and what `open` makes of it.
 *
 * @throws `unavailable` when the data folder, a store's file or a port is in use
 */
export async function runGateway<E extends Entrance>(
  config: GatewayConfig,
  components: ProcessComponents,
  open: (core: GatewayCore, components: SurfaceComponents) => Promise<E>,
): Promise<{ readonly gateway: ComposedGateway; readonly entrance: E; readonly url: () => string }> {
  const { siblings } = components;
  if (config.processes > 1 && siblings === undefined) {
    throw configError('processes', 'must be 1 in a gateway of a program; `esdb-gater start` runs several');
  }
  const clock = components.clock ?? systemClock;
  const bounds = { ...CONNECTION_BOUNDS, ...components.bounds };
  const labels = createGatewayLabels(Object.keys(config.stores));
  const openTelemetry = createOpenTelemetry({ env: process.env, clock, labels });
  const { logFields: traceFields } = openTelemetry;
  const logFields =
    siblings === undefined
      ? traceFields
      : () => ({ process: siblings.number, ...(traceFields === undefined ? {} : traceFields()) });
  const {
    logger,
    listening,
    close: closeLog,
  } = createLog(config, {
    logger: components.logger,
    output: components.logOutput ?? createLogOutput(process.stdout, clock),
    clock,
    fields: logFields,
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
  let knownUrl = config.advertiseUrl ?? '';
  const url = (): string => knownUrl;
  const accepting = (): boolean => !stopping;
  try {
    const core = await openGatewayCore(
      { clock, logger, cleanup, accepting, url, startTelemetry, siblings },
      config,
    );
    const { nodeId, cluster } = core;
    const { did } = core.security.identity;
    const entrance = await open(core, {
      clock,
      logger,
      cleanup,
      accepting,
      metrics,
      bounds,
      url,
      siblings,
    });
    const gater = createGater(
      { registry: core.registry, channels: core.channels, subscriptions: core.subscriptions, clock },
      {
        nodeId,
        storeId: defaultStoreOf(config),
        retry: config.retry,
        messageBytes: config.limits.messageBytes,
      },
    );
    const metricsUrl = entrance.metrics?.url;
    entrance.whenReachable((reachedAt) => {
      if (stopping) return;
      knownUrl = reachedAt;
      cluster?.begin(entrance.peerUrl ?? reachedAt);
      const at = { url: reachedAt, nodeId, did, ...(metricsUrl === undefined ? {} : { metricsUrl }) };
      // Of several processes the supervisor tells when all are ready.
      if (siblings === undefined) listening(at);
      else logger.info(at, 'a gateway process listens');
    });
    const stop = async (): Promise<void> => {
      stopping = true;
      const deadline = createShutdownDeadline(clock, config.shutdown.graceMs);
      const idle = async (): Promise<void> => {
        await gater.close();
        await cluster?.leave();
        await Promise.all([core.dispatcher.idle(), cluster?.idle()]);
      };
      await deadline.within(idle(), SHUTDOWN_SHARES.calls);
      await entrance.drain(deadline);
      // Last of the sockets: until then the probes are told that this node is going.
      await entrance.metrics?.close(deadline, SHUTDOWN_SHARES.probes);
      // A step may use half of the time that is left, so that one that hangs leaves time for all that follow.
      await cleanup
        .run((step) => finishesWithin(step, deadline.leftMs(SHUTDOWN_SHARES.cleanup) / 2, clock))
        .catch((error: unknown) => logger.error({ err: error }, 'a part failed to close'));
      logger.info({ nodeId }, 'stopped');
    };
    let stopped: Promise<void> | undefined;
    const close = (): Promise<void> => (stopped ??= stop());
    const gateway = { nodeId, did, gater, metricsUrl, close, [Symbol.asyncDispose]: close };
    return { gateway, entrance, url };
  } catch (error) {
    // The first error is reported, even if closing what was opened fails too.
    await cleanup.run().catch(() => undefined);
    throw error;
  }
}

/** Returns the store of calls of the program that name none, as in `@esdb-gater/embedded`. */
function defaultStoreOf({ stores }: GatewayConfig): string {
  const [only, ...others] = Object.keys(stores);
  return only !== undefined && others.length === 0 ? only : 'default';
}
