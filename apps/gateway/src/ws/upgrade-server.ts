import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { CLOSE_CODES, SUBPROTOCOL } from '@esdb-gater/protocol';
import { type Clock, GaterError, type Logger } from '@esdb-gater/types';
import { WebSocketServer } from 'ws';
import type { Admission } from '../access/admission.ts';
import type { Caller } from '../access/caller.ts';
import { bearerToken, callerOf } from '../access/caller.ts';
import type { DiscardBudget, Discards } from '../access/discard-budget.ts';
import type { VerifiedGrant } from '../access/grants.ts';
import { findHostError, forbiddenRequest, type OriginGuard } from '../access/origin-guard.ts';
import { stopping } from '../calls/dispatcher.ts';
import type { ConnectionBounds } from '../http/connection-bounds.ts';
import { WS_PATH } from '../http/listen.ts';
import { type Problem, pathOf, problemOf, rawResponse } from '../http/problem.ts';
import { GatewaySocket } from './gateway-socket.ts';
import { createIntakeTurns } from './intake.ts';
import { createLiveness } from './liveness.ts';
import { Session, type SessionComponents, type SessionOptions } from './session.ts';
import { createTurnQueue } from './turn.ts';

/** How long a connection may take to answer a close frame. */
const CLOSE_TIMEOUT_MS = 5_000;

/** Maximum fragments of one message; also the default of `ws`. */
const MAX_FRAGMENTS = 16_384;

export interface UpgradeComponents extends Omit<SessionComponents, 'onClosing' | 'turns'> {
  /** Returns the guard for the place where a request arrived. */
  readonly originGuard: (request: IncomingMessage) => OriginGuard;
  readonly admission: Admission;
  /** Counts what clients send after the close frame of the gateway. */
  readonly discards: DiscardBudget;
  readonly accepting: () => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface UpgradeOptions extends SessionOptions {
  readonly bounds: ConnectionBounds;
  readonly realm: string;
}

/** The WebSocket half of the gateway's port. */
export interface UpgradeServer {
  /** The live sessions. */
  readonly sessions: ReadonlySet<Session>;
  /** Returns how many calls without an id were refused, on live and past connections. */
  refusedNotifications(): number;
  /** Returns how many connections the gateway has closed, by close code. */
  closures(): ReadonlyMap<number, number>;
  /** Closes all sessions with 1001, and resolves when all have ended. */
  close(): Promise<void>;
  /** Destroys the connections that are still open. */
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
  const shared: SessionComponents = { ...components, turns: createIntakeTurns(), onClosing };
  const liveness = createLiveness(clock, options.bounds);
  const turns = createTurnQueue();
  const wss = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    WebSocket: GatewaySocket,
    maxPayload: options.frameBytes,
    perMessageDeflate: false,
    skipUTF8Validation: false,
    autoPong: false,
    // Newer than the published types.
    ...({ maxFragments: MAX_FRAGMENTS, closeTimeout: CLOSE_TIMEOUT_MS } as object),
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  });
  // What `ws` refuses by itself it would answer as plain text.
  wss.on('wsClientError', (error, socket) => refuse(socket as Socket, notAnUpgrade(error.message)));
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
    if (pathOf(request) !== WS_PATH) {
      return { refusal: unsupported(404, `WebSockets are served at ${WS_PATH}`) };
    }
    const hostError = findHostError(request);
    if (hostError !== undefined) return { refusal: problemOf(hostError, { status: 400 }) };
    const verdict = components.originGuard(request).check(headers);
    if (verdict !== 'allowed') return { refusal: problemOf(forbiddenRequest(verdict)) };
    if (!components.accepting()) return { refusal: problemOf(stopping()) };
    const offered = headers['sec-websocket-protocol'];
    if (offered !== undefined && !offered.split(',').some((name) => name.trim() === SUBPROTOCOL)) {
      return { refusal: unsupported(400, `the subprotocol must be ${SUBPROTOCOL}`) };
    }
    try {
      const token =
        components.authorizer.mode === 'disabled' ? undefined : bearerToken(headers.authorization);
      return { grant: token === undefined ? undefined : components.grants.verify(token, []) };
    } catch (error) {
      logger.debug({ err: error, address: caller.address }, 'refused an upgrade');
      return { refusal: problemOf(GaterError.from(error), { realm: options.realm }) };
    }
  }

  function begin(ws: GatewaySocket, socket: Socket, caller: Caller, grant: VerifiedGrant | undefined): void {
    // `ws` reports each protocol error here and closes by itself.
    ws.on('error', (error) => logger.debug({ err: error, address: caller.address }, 'a connection failed'));
    const writer = ws.attach(socket, turns);
    let discards: Discards | undefined;
    socket.on('data', (chunk: Buffer) => {
      if (ws.readyState === ws.OPEN) return;
      discards ??= openDiscards(ws, socket);
      discards.add(chunk.length);
    });
    const place = admission.enter(caller.address, caller.loopback);
    if (place === undefined) {
      onClosing(CLOSE_CODES.tooMany);
      ws.close(CLOSE_CODES.tooMany, 'too many connections');
      return;
    }
    const session = new Session(shared, options, ws, socket, writer, caller);
    sessions.add(session);
    sockets.add(ws);
    socket.on('drain', () => session.drained());
    const unwatch = liveness.watch(ws);
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

  /** Counts what a client still sends after the close frame of the gateway. */
  function openDiscards(ws: GatewaySocket, socket: Socket): Discards {
    const opened = components.discards.open({ pause: () => socket.pause(), destroy: () => ws.terminate() });
    socket.once('close', () => opened.close());
    return opened;
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

/** Clients tell by the error code that a gateway refuses, not a proxy in front of it. */
export function unsupported(status: number, message: string): Problem {
  return problemOf(new GaterError('not_supported', message), { status });
}

/** The problem of an upgrade request that RFC 6455 does not allow. */
function notAnUpgrade(detail: string): Problem {
  const { headers, ...problem } = unsupported(400, detail);
  return { ...problem, headers: { ...headers, 'sec-websocket-version': '13' } };
}

/** Answers an upgrade request without upgrading. */
export function refuse(socket: Socket, problem: Problem): void {
  socket.once('finish', () => socket.destroy());
  socket.end(rawResponse(problem));
}
