import type { IncomingMessage } from 'node:http';
import type { Server as TlsServer } from 'node:tls';
import type { OriginGuard } from './access/origin-guard.ts';
import type { GatewayConfig } from './config/types.ts';
import type { GatewayCore } from './gateway-core.ts';
import { createSurfaceGuard, openGatewaySurface, type SurfaceComponents } from './gateway-surface.ts';
import { listen } from './http/listen.ts';
import { watchSockets } from './http/port-sockets.ts';
import { readCertificate } from './http/tls-certificate.ts';
import { openPeerListener, PEER_HOST, type PeerListener } from './processes/peer-listener.ts';
import type { Entrance } from './run-gateway.ts';

/** The port of a gateway that has a server of its own. */
export interface OpenPort extends Entrance {
  readonly port: number;
  /** Reads the certificate again. Returns false without TLS. */
  reloadCertificate(): boolean;
}

/** Serves WebSocket and HTTP on one port. @throws `unavailable` when an address is in use or cannot be bound */
export async function openPort(
  core: GatewayCore,
  components: SurfaceComponents,
  config: GatewayConfig,
): Promise<OpenPort> {
  const { logger, bounds, siblings, cleanup } = components;
  const tls = config.tls.certFile !== null;
  // The guard knows its own origins once the port is bound; no request arrives earlier.
  const guardAt = (port: number): OriginGuard =>
    createSurfaceGuard(logger, config, { host: config.host, port, tls });
  let guard = guardAt(config.port);
  let peers: PeerListener | undefined;
  let peerGuard = guard;
  const guardFor = (request: IncomingMessage): OriginGuard =>
    peers?.accepted(request) === true ? peerGuard : guard;
  const surface = await openGatewaySurface(core, components, config, { guardFor, prefix: '' });
  const { app, server, outbound, metrics } = surface;
  const { connections, connectionsPerAddress } = config.limits;
  const sockets = watchSockets(server, {
    maxSockets: connections + bounds.spareSockets,
    outbound,
    tls,
    maxPerAddress: connectionsPerAddress && connectionsPerAddress + bounds.spareSocketsPerAddress,
  });
  const bound = await listen(app, config, { reusePort: siblings !== undefined });
  guard = guardAt(bound.port);
  if (siblings !== undefined) {
    const opened = await openPeerListener(server);
    cleanup.defer(() => opened.close());
    peerGuard = createSurfaceGuard(logger, config, { host: PEER_HOST, port: opened.port, tls: false });
    peers = opened;
    siblings.onPeerUrl(opened.url);
  }
  return {
    port: bound.port,
    metrics,
    peerUrl: peers?.url,
    reloadCertificate() {
      if (!tls) return false;
      try {
        (server as unknown as TlsServer).setSecureContext(readCertificate(config.tls) ?? {});
        logger.info({ certFile: config.tls.certFile }, 'reloaded the TLS certificate');
      } catch (error) {
        logger.error({ err: error }, 'cannot reload the TLS certificate; the old one stays in use');
      }
      return true;
    },
    whenReachable: (then) => then(bound.url),
    drain: (deadline) => surface.drain({ ...sockets, idle: () => app.close() }, deadline),
  };
}
