import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Readable } from 'node:stream';
import { type TLSSocket, Server as TlsServer } from 'node:tls';
import { GaterError } from '@esdb-gater/types';
import type { OriginGuard } from '../access/origin-guard.ts';
import { stopping } from '../calls/dispatcher.ts';
import { configError } from '../config/config-error.ts';
import { isLoopbackHost } from '../config/load-config.ts';
import type { GatewayConfig } from '../config/types.ts';
import {
  createSurfaceGuard,
  type GatewaySurface,
  openGatewaySurface,
  type SurfaceComponents,
} from '../gateway-surface.ts';
import { hasBody } from '../http/body.ts';
import { OPEN_PATHS } from '../http/cross-origin.ts';
import { urlOf, WS_PATH } from '../http/listen.ts';
import { type Problem, pathOf, problemOf } from '../http/problem.ts';
import { type ComposedGateway, type Entrance, type GatewayComponents, runGateway } from '../run-gateway.ts';
import { refuse, unsupported } from '../ws/upgrade-server.ts';
import { behindPrefix, resolvePrefix } from './mount-prefix.ts';
import { watchMountedSockets } from './mounted-sockets.ts';

export interface MountOptions {
  /** The path of the gateway in the server, such as `/gater`. @default '' the root */
  readonly prefix?: string;
  /** Serves the dashboard; false leaves `/`, `/favicon.svg` and `/assets` of the root to the server. @default true */
  readonly dashboard?: boolean;
}

/** A gateway in a server of the program. */
export interface MountedGateway extends ComposedGateway {
  readonly prefix: string;
  /** The WebSocket URL: `advertiseUrl`, else that of the server; empty until the server listens. */
  readonly url: string;
  /** Answers a request for the gateway. Returns false for any other request, and leaves it alone. */
  handle(request: IncomingMessage, response: ServerResponse): boolean;
  /** Serves the WebSockets of a server, below the prefix. Other upgrades are left to its other listeners. */
  attach(server: Server): void;
}

/** How a mounted gateway is reached. */
interface Mount extends Entrance, Pick<MountedGateway, 'handle' | 'attach'> {}

/**
 * Composes a gateway that is reached through a server of the program instead of a port of its own. Limits, tokens, close
 * codes and the graceful stop are those of `startGateway`; `port` and the bounds of connections that carry no request of
 * the gateway are up to the server. `close` must be called before the server is closed, which would wait for WebSockets.
 *
 * @throws `invalid_argument` for a prefix that is not a path (reason `prefix`) or when `tls.certFile` is set (reason
 * `configuration`); `unavailable` when the data folder, a store's file or `metrics.port` is in use
 */
export async function mountGateway(
  config: GatewayConfig,
  { prefix: given = '', dashboard = true }: MountOptions = {},
  components: GatewayComponents = {},
): Promise<MountedGateway> {
  const prefix = resolvePrefix(given);
  if (config.tls.certFile !== null) {
    throw configError('tls.certFile', 'must not be set in a mounted gateway: the server has the certificate');
  }
  const { gateway, entrance, url } = await runGateway(config, components, (core, shared) =>
    openMount(shared, config, prefix, (options) =>
      openGatewaySurface(core, shared, config, { ...options, prefix, dashboard }),
    ),
  );
  const { handle, attach } = entrance;
  return {
    ...gateway,
    prefix,
    get url() {
      return url();
    },
    handle,
    attach,
  };
}

type OpenSurface = (options: {
  readonly guardFor: (request: IncomingMessage) => OriginGuard;
}) => Promise<GatewaySurface>;

async function openMount(
  { logger, accepting }: SurfaceComponents,
  config: GatewayConfig,
  prefix: string,
  openSurface: OpenSurface,
): Promise<Mount> {
  const guardFor = createGuards(logger, config);
  const surface = await openSurface({ guardFor });
  await surface.app.ready();
  const sockets = watchMountedSockets(surface.outbound);
  /** Upgrades, which a framework may pass to its routes as well. */
  const upgraded = new WeakSet<IncomingMessage>();
  const servesAnyAddress = config.security.capabilities === 'required' || config.security.allowInsecure;
  const logged = new Set<string>();
  const logOnce = (message: string): void => {
    if (logged.has(message) || logged.size >= MAX_LOGGED) return;
    logged.add(message);
    logger.error({ prefix }, message);
  };
  let isClosed = false;
  let isReached = false;
  let whenReached: ((url: string) => void) | undefined;

  function reached(address: AddressInfo | string | null, tls: boolean): void {
    if (isReached) return;
    isReached = true;
    whenReached?.(config.advertiseUrl ?? urlOf(address, { tls, prefix }));
  }

  /** Returns the path without the prefix, undefined for a request that is not for the gateway. */
  function pathIn(request: MountedRequest): string | undefined {
    const path = behindPrefix(request.originalUrl ?? request.url ?? '/', prefix);
    return path !== undefined && (prefix !== '' || surface.owns(path)) ? path : undefined;
  }

  /** Prepares a request for the routes of the gateway. Returns why it is refused before them. */
  function enter(request: MountedRequest, path: string): Problem | undefined {
    const { socket } = request;
    reached(addressOf(socket), isEncrypted(socket));
    request.originalUrl ??= request.url ?? '/';
    request.url = path;
    if (isClosed) return problemOf(stopping());
    const { localAddress = '127.0.0.1' } = socket;
    if (!servesAnyAddress && !isLoopbackHost(localAddress) && !OPEN_PATHS.has(pathOf(request))) {
      const message = `security.capabilities must be "required", or security.allowInsecure true, to serve ${localAddress}, beyond loopback`;
      logOnce(message);
      return problemOf(new GaterError('unauthorized', message, { details: { reason: 'host_not_allowed' } }));
    }
    if (hasBody(request) && Readable.isDisturbed(request)) {
      const message =
        'the body of a request was read before the gateway: mount the gateway before body parsers';
      logOnce(message);
      return problemOf(new GaterError('internal', message));
    }
    return undefined;
  }

  return {
    metrics: surface.metrics,
    whenReachable(then) {
      whenReached = then;
    },
    async drain(deadline) {
      await surface.drain(sockets, deadline);
      isClosed = true;
    },
    handle(request: MountedRequest, response) {
      const path = pathIn(request);
      if (path === undefined) return false;
      if (upgraded.has(request)) return true;
      const redirect = accepting() ? redirectOf(request, prefix) : undefined;
      if (redirect !== undefined) {
        response.writeHead(308, { location: redirect, 'content-length': '0' }).end();
        return true;
      }
      const problem = enter(request, path);
      if (problem === undefined) {
        sockets.request(request, response);
        surface.server.emit('request', request, response);
      } else {
        response.writeHead(problem.status, { ...problem.headers, connection: 'close' }).end(problem.body);
      }
      return true;
    },
    attach(server) {
      // First of the listeners, so that a framework that passes upgrades to its routes finds the request in `upgraded`.
      server.prependListener('upgrade', (request: MountedRequest, socket: Socket, head: Buffer) => {
        const path = pathIn(request);
        // Without a listener of its own the server would leave the upgrade unanswered.
        if (path === undefined && server.listenerCount('upgrade') > 1) return;
        upgraded.add(request);
        const problem =
          path === undefined
            ? unsupported(404, `WebSockets are served at ${prefix}${WS_PATH}`)
            : enter(request, path);
        if (problem === undefined) {
          sockets.upgrade(socket);
          surface.server.emit('upgrade', request, socket, head);
          // Other listeners, which come later, must not take it for an upgrade of theirs.
          request.url = request.originalUrl ?? '/';
        } else {
          socket.on('error', () => socket.destroy());
          refuse(socket, problem);
        }
      });
      const listening = (): void => reached(server.address(), server instanceof TlsServer);
      if (server.listening) listening();
      else server.once('listening', listening);
    },
  };
}

/** A request in a framework that keeps the URL as it was sent in `originalUrl`. */
type MountedRequest = IncomingMessage & { originalUrl?: string };

/** Redirects `/gater` to `/gater/`, where the dashboard finds its files. */
function redirectOf({ method, url = '/' }: IncomingMessage, prefix: string): string | undefined {
  if (method !== 'GET' || prefix === '' || !(url === prefix || url.startsWith(`${prefix}?`)))
    return undefined;
  // Relative, as a proxy may have cut more off the path.
  return `./${prefix.slice(prefix.lastIndexOf('/') + 1)}/${url.slice(prefix.length)}`;
}

function isEncrypted(socket: Socket): boolean {
  return (socket as TLSSocket).encrypted === true;
}

function addressOf({ localAddress, localPort, localFamily }: Socket): AddressInfo | null {
  if (localAddress === undefined || localPort === undefined) return null;
  return { address: localAddress, port: localPort, family: localFamily ?? 'IPv4' };
}

/** Maximum number of refusals to log, one for each address of the server. */
const MAX_LOGGED = 100;

/** Addresses of the server for which guards are kept. */
const MAX_GUARDS = 100;

/** Makes the guard for each address and port that requests arrive at: the own origins of the gateway depend on them. */
function createGuards(
  logger: SurfaceComponents['logger'],
  config: GatewayConfig,
): (request: IncomingMessage) => OriginGuard {
  const guards = new Map<string, OriginGuard>();
  return ({ socket }) => {
    const { localAddress = '127.0.0.1', localPort: port = 0 } = socket;
    const tls = isEncrypted(socket);
    const isPrivate = isLoopbackHost(config.host) && !isLoopbackHost(localAddress);
    const host = isPrivate ? localAddress.replace(/^::ffff:/, '') : config.host;
    const key = `${host} ${port} ${tls}`;
    const known = guards.get(key);
    if (known !== undefined) return known;
    const guard = createSurfaceGuard(logger, config, { host, port, tls });
    if (guards.size >= MAX_GUARDS) guards.clear();
    guards.set(key, guard);
    return guard;
  };
}
