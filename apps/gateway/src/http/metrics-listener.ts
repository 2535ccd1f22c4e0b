import type { AddressInfo } from 'node:net';
import type { HealthResult } from '@esdb-gater/protocol';
import type { Logger } from '@esdb-gater/types';
import type { DiscardBudget } from '../access/discard-budget.ts';
import type { InboundBudget } from '../access/inbound-budget.ts';
import { createOriginGuard, type OriginGuard } from '../access/origin-guard.ts';
import type { OutboundBudget } from '../access/outbound-budget.ts';
import type { GatewayConfig } from '../config/types.ts';
import type { ShutdownDeadline } from '../node/shutdown-deadline.ts';
import type { Exposition } from '../telemetry/exposition.ts';
import type { ConnectionBounds } from './connection-bounds.ts';
import { guardOrigins } from './cross-origin.ts';
import { addRoutes, createHttpApp } from './http-app.ts';
import { bindPort } from './listen.ts';
import { watchSockets } from './port-sockets.ts';
import { probeRoutes, type Readiness } from './routes/probes.ts';
import { discardUnreadBodies } from './unread-bodies.ts';

export interface MetricsListenerComponents {
  readonly logger: Logger;
  readonly metrics: Exposition;
  readonly readiness: () => Readiness;
  readonly health: () => Promise<HealthResult>;
  readonly inbound: InboundBudget;
  readonly outbound: OutboundBudget;
  readonly discards: DiscardBudget;
}

/** The second port of a gateway, for machines that watch it. */
export interface MetricsListener {
  /** Its address, such as `http://127.0.0.1:9090`. */
  readonly url: string;
  /** Answers what is under way, then closes the port; by force at the end of its share of the time. */
  close(deadline: ShutdownDeadline, share: number): Promise<void>;
  /** Closes the port by force. */
  destroy(): Promise<void>;
}

/**
 * Serves `/metrics`, `/health`, `/livez` and `/readyz` on `metrics.host` and `metrics.port`, over plain HTTP and without
 * tokens, under the same bounds as the main port. Returns undefined without a port.
 *
 * @throws `unavailable` when the address is in use or cannot be bound
 */
export async function openMetricsListener(
  components: MetricsListenerComponents,
  config: GatewayConfig,
  bounds: ConnectionBounds,
): Promise<MetricsListener | undefined> {
  const { host, port } = config.metrics;
  if (port === null) return undefined;
  const { logger, metrics, readiness, health, inbound, outbound, discards } = components;
  const plain = { ...config, tls: { certFile: null, keyFile: null } };
  const app = createHttpApp(plain, logger, bounds, inbound, { webSockets: false });
  const guardFor = (bound: number): OriginGuard =>
    createOriginGuard(
      { logger },
      {
        host,
        port: bound,
        tls: false,
        advertiseUrl: null,
        allowedOrigins: [],
        // Beyond loopback a scraper finds this port under any name of its network, such as that of a service.
        tokensRequired: true,
      },
    );
  let guard = guardFor(port);
  guardOrigins(app, () => guard);
  addRoutes(app, probeRoutes({ readiness, health, metrics, demandToken: () => undefined }));
  discardUnreadBodies(app.server, discards);
  const { connections, connectionsPerAddress } = config.limits;
  const sockets = watchSockets(app.server, {
    maxSockets: connections + bounds.spareSockets,
    outbound,
    tls: false,
    maxPerAddress: connectionsPerAddress && connectionsPerAddress + bounds.spareSocketsPerAddress,
  });
  try {
    await bindPort(app, 'metrics.port', { host, port });
  } catch (error) {
    await app.close();
    throw error;
  }
  const address = app.server.address() as AddressInfo;
  guard = guardFor(address.port);
  return {
    url: `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`,
    async close(deadline, share) {
      sockets.drain();
      if (!(await deadline.within(app.close(), share))) sockets.destroy();
    },
    async destroy() {
      sockets.destroy();
      await app.close();
    },
  };
}
