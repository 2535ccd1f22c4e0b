import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { CLOSE_CODES, SUBPROTOCOL } from '@esdb-gater/protocol';
import { type Clock, GaterError, type Logger } from '@esdb-gater/types';
import { WebSocketServer } from 'ws';
import type { Admission } from '../access/admission.ts';
import type { Caller } from '../access/caller.ts';
import { bearerToken, callerOf } from '../access/caller.ts';
import type { VerifiedGrant } from '../access/grants.ts';
import { forbiddenRequest, hostProblem, type OriginGuard } from '../access/origin-guard.ts';
import { stopping } from '../calls/dispatcher.ts';
import { WS_PATH } from '../http/listen.ts';
import { type Problem, plainProblem, problemOf } from '../http/problem.ts';
import { GatewaySocket } from './gateway-socket.ts';
import { createLiveness } from './liveness.ts';
import { Session, type SessionComponents, type SessionOptions } from './session.ts';
import { createTurnQueue } from './turn.ts';

/** How long a connection may take to answer a close frame. */
const CLOSE_TIMEOUT_MS = 5_000;

/** Fragments of one message, the bound that `ws` itself has. */
const MAX_FRAGMENTS = 16_384;

export interface UpgradeComponents extends Omit<SessionComponents, 'onClosing'> {
  readonly originGuard: () => OriginGuard;
  readonly admission: Admission;
  readonly accepting: () => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface UpgradeOptions extends SessionOptions {
  readonly realm: string;
}

/** The WebSocket half of the gateway's port. */
export interface UpgradeServer {
  /** The live sessions. */
  readonly sessions: ReadonlySet<Session>;
  /** Calls without an id that were refused, of live and past connections. */
  refusedNotifications(): number;
  /** Connections that the gateway has closed, by close code. */
  closures(): ReadonlyMap<number, number>;
  /** Closes all sessions with 1001, and resolves when all are gone. */
  close(): Promise<void>;
  /** Cuts off what is still connected. */
  terminate(): void;
}

/** Serves upgrades of `server` at `WS_PATH`, and refuses all others. */
export function createUpgradeServer(
  server: Server,
  components: UpgradeComponents,
  options: UpgradeOptions,
): UpgradeServer {
  const { admission, clock, logger } = components;
  const sessions = new Set<Session>();
  const sockets = new Set<GatewaySocket>();
  const closures = new Map<number, number>();
  const onClosing = (code: number): void => void closures.set(code, (closures.get(code) ?? 0) + 1);
  const shared: SessionComponents = { ...components, onClosing };
  const liveness = createLiveness(clock);
  const turns = createTurnQueue();
  const wss = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    WebSocket: GatewaySocket,
    maxPayload: options.frameBytes,
    perMessageDeflate: false,
    skipUTF8Validation: false,
    // Newer than the published types.
    ...({ maxFragments: MAX_FRAGMENTS, closeTimeout: CLOSE_TIMEOUT_MS } as object),
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  });
  let idle: (() => void) | undefined;
  let refusedBefore = 0;

  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const caller = callerOf(request);
    const admitted = admit(request, caller);
    if ('refusal' in admitted) {
      refuse(socket, admitted.refusal);
      return;
    }
    wss.handleUpgrade(request, socket, head, (ws) =>
      begin(ws as GatewaySocket, socket, caller, admitted.grant),
    );
  });

  function admit(
    request: IncomingMessage,
    caller: Caller,
  ): { readonly refusal: Problem } | { readonly grant: VerifiedGrant | undefined } {
    const { headers } = request;
    if (request.url?.split('?', 1)[0] !== WS_PATH) {
      return { refusal: plainProblem(404, 'Not Found', `WebSockets are served at ${WS_PATH}`) };
    }
    const problem = hostProblem(request);
    if (problem !== undefined) return { refusal: plainProblem(400, 'Bad Request', problem) };
    const verdict = components.originGuard().check(headers);
    if (verdict !== 'allowed') return { refusal: problemOf(forbiddenRequest(verdict)) };
    if (!components.accepting()) return { refusal: problemOf(stopping()) };
    const offered = headers['sec-websocket-protocol'];
    if (offered !== undefined && !offered.split(',').some((name) => name.trim() === SUBPROTOCOL)) {
      return { refusal: plainProblem(400, 'Bad Request', `the subprotocol is ${SUBPROTOCOL}`) };
    }
    try {
      const token =
        components.authorizer.mode === 'disabled' ? undefined : bearerToken(headers.authorization);
      return { grant: token === undefined ? undefined : components.grants.verify(token, []) };
    } catch (error) {
      logger.debug({ err: error, address: caller.address }, 'an upgrade was refused');
      return { refusal: problemOf(GaterError.from(error), { realm: options.realm }) };
    }
  }

  function begin(ws: GatewaySocket, socket: Socket, caller: Caller, grant: VerifiedGrant | undefined): void {
    // `ws` tells of every protocol error here, and closes by itself; a broken connection is no news.
    ws.on('error', (error) => logger.debug({ err: error, address: caller.address }, 'a connection failed'));
    const writer = ws.attach(socket, turns);
    const place = admission.enter(caller.address, caller.loopback);
    if (place === undefined) {
      onClosing(CLOSE_CODES.tooMany);
      ws.close(CLOSE_CODES.tooMany, 'too many connections');
      return;
    }
    const session = new Session(shared, options, ws, writer, caller);
    sessions.add(session);
    sockets.add(ws);
    socket.on('drain', () => session.drained());
    const unwatch = liveness.watch({
      ping: () => ws.ping(),
      silent: () => ws.terminate(),
      // What was received, and what the system took of what was sent.
      progress: () => socket.bytesRead + (socket.bytesWritten - socket.writableLength),
    });
    ws.on('close', () => {
      refusedBefore += session.stats().refusedNotifications;
      unwatch();
      place.leave();
      sessions.delete(session);
      sockets.delete(ws);
      if (sessions.size === 0) idle?.();
    });
    session.begin(grant);
  }

  return {
    sessions,
    refusedNotifications() {
      let refused = refusedBefore;
      for (const session of sessions) refused += session.stats().refusedNotifications;
      return refused;
    },
    closures: () => closures,
    close() {
      const gone = new Promise<void>((resolve) => {
        idle = resolve;
      });
      if (sessions.size === 0) idle?.();
      for (const session of sessions) session.close(CLOSE_CODES.goingAway, 'the gateway is stopping');
      return gone.finally(() => liveness.close());
    },
    terminate() {
      for (const ws of sockets) ws.terminate();
    },
  };
}

/** Answers an upgrade request without upgrading. */
function refuse(socket: Socket, { status, headers, body }: Problem): void {
  const lines = Object.entries({
    ...headers,
    connection: 'close',
    'content-length': String(Buffer.byteLength(body)),
  }).map(([name, value]) => `${name}: ${value}`);
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${REASONS[status] ?? 'Refused'}\r\n${lines.join('\r\n')}\r\n\r\n${body}`);
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  503: 'Service Unavailable',
};
