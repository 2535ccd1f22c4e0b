import { JSON_DEPTH, waitFor } from '@esdb-gater/primitives';
import type { Hello, Peer, PeerComponents, PeerContext } from '@esdb-gater/protocol';
import { createPeer, SUBPROTOCOL } from '@esdb-gater/protocol/calls';
import { GaterError, LIMITS } from '@esdb-gater/types';
import { proofOf } from '../proving-identity.ts';
import type { ConnectionSettings } from './options.ts';

/** An open connection whose `hello` has arrived and which is authenticated. */
export interface Session {
  readonly peer: Peer;
  readonly hello: Hello;
  readonly url: string;
  /** See `OpenedSocket.heardAt`. */
  readonly heardAt?: () => number;
}

export interface SessionHandlers {
  readonly onNotification: NonNullable<PeerComponents['onNotification']>;
  readonly handle: (method: string, params: unknown, context: PeerContext) => unknown;
}

function isHello(value: unknown): value is Hello {
  const { gatewayDid, nodeId, nonce, methods } = (value ?? {}) as Partial<Record<keyof Hello, unknown>>;
  return [gatewayDid, nodeId, nonce].every((member) => typeof member === 'string') && Array.isArray(methods);
}

const tokenOf = ({ token }: ConnectionSettings): string | undefined | Promise<string> =>
  typeof token === 'function' ? token() : token;

/** Returns what a gateway says it accepts. Older gateways say nothing. */
export function limitsOf(hello: Hello | undefined): {
  readonly frameBytes?: number;
  readonly messageBytes?: number;
} {
  const { limits } = (hello ?? {}) as { readonly limits?: Readonly<Record<string, unknown>> };
  const { frameBytes, messageBytes } = limits ?? {};
  return {
    ...(typeof frameBytes === 'number' ? { frameBytes } : {}),
    ...(typeof messageBytes === 'number' ? { messageBytes } : {}),
  };
}

/**
 * Opens one connection: WebSocket, subprotocol, `hello`, `authenticate`.
 *
 * @throws `unavailable`, `unauthorized`, `not_supported`; the signal's reason
 */
export async function establish(
  url: string,
  settings: ConnectionSettings,
  handlers: SessionHandlers,
  signal: AbortSignal,
): Promise<Session> {
  const { clock, logger, identity } = settings;
  const token = await waitFor(Promise.resolve(tokenOf(settings)), { signal });
  // A proof signs the nonce of `hello`, so a token with an identity is sent after that.
  const early = identity === undefined && token !== undefined ? { token } : {};
  const opened = await settings.openSocket(url, {
    protocol: SUBPROTOCOL,
    frameBytes: settings.frameBytes,
    silenceMs: settings.silenceMs,
    signal,
    clock,
    ...early,
  });
  const greeting = Promise.withResolvers<Hello>();
  // Awaited below. It may reject before.
  greeting.promise.catch(() => {});
  let frameBytes: number = LIMITS.frameBytes;
  const onNotification: SessionHandlers['onNotification'] = (method, params, frameUnits, trace) => {
    if (method !== 'hello') return handlers.onNotification(method, params, frameUnits, trace);
    if (isHello(params)) greeting.resolve(params);
    else
      greeting.reject(
        new GaterError('not_supported', 'the `hello` of the gateway does not belong to this protocol'),
      );
    return true;
  };
  const components = { handle: handlers.handle, onNotification, clock, logger };
  const peer = createPeer(opened.transport, components, {
    maxDepth: JSON_DEPTH.received,
    frameBytes: () => frameBytes,
  });
  void peer.closed.then(({ code, reason }) => greeting.reject(closedEarly(code, reason)));
  try {
    if (opened.protocol !== SUBPROTOCOL) {
      throw new GaterError('not_supported', `the gateway does not speak ${SUBPROTOCOL}`);
    }
    const hello = await waitFor(greeting.promise, { signal });
    frameBytes = limitsOf(hello).frameBytes ?? frameBytes;
    if (token !== undefined && !opened.authorized) {
      const proof =
        identity === undefined ? {} : { proof: await proofOf(identity, hello.gatewayDid, hello.nonce) };
      await peer.call('authenticate', { token, ...proof }, { signal });
    }
    const { heardAt } = opened;
    return { peer, hello, url, ...(heardAt === undefined ? {} : { heardAt }) };
  } catch (error) {
    peer.close(1000, '');
    throw error;
  }
}

/** Returns the error for calls that wait when a connection is closed with `code`. */
export function closedEarly(code: number, reason: string): GaterError {
  const details = { closeCode: code };
  switch (code) {
    case 4401:
    case 4403:
      return new GaterError('unauthorized', `the gateway closed the connection: ${reason || code}`, {
        details: { ...details, reason: code === 4403 ? 'revoked' : 'expired' },
      });
    case 4408:
      return new GaterError('unauthorized', 'the gateway requires a token', {
        details: { ...details, reason: 'capability_required' },
      });
    default:
      return new GaterError('unavailable', `the connection was closed with code ${code}`, { details });
  }
}
