import { randomBytes } from 'node:crypto';
import { openSocket } from '@esdb-gater/client';
import { JSON_DEPTH, waitFor, withLimit } from '@esdb-gater/primitives';
import {
  type CLOSE_CODES,
  createPeer,
  exactNumbers,
  type Hello,
  isPeerProof,
  PEER_METHOD,
  type PeerIdentity,
  SUBPROTOCOL,
} from '@esdb-gater/protocol';
import { type Clock, GaterError, type Logger } from '@esdb-gater/types';
import { type PeerHandlers, PeerLink } from './peer-link.ts';
import type { PeerProofs } from './peer-proof.ts';

export interface DialComponents {
  readonly proofs: PeerProofs;
  readonly self: () => PeerIdentity;
  readonly handlers: PeerHandlers;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface DialOptions {
  readonly frameBytes: number;
  /** Calls of the other side in flight. */
  readonly maxInFlight: number;
  /** For the connection and both proofs. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** The close code of a node that did not prove itself. */
const FORBIDDEN: (typeof CLOSE_CODES)['forbidden'] = 4403;

/** A connection that is silent for so long is broken; links notice earlier by themselves. */
const SILENCE_MS = 60_000;

/** About ten short calls: the other node begins with them while this one goes on. */
const GATHER_UNITS = 2_048;

/**
 * Opens a connection to another node and lets both sides prove themselves. Until then nothing of the other side is
 * believed or answered.
 *
 * @throws `unavailable` when it cannot be reached, `unauthorized` when it did not prove itself, `invalid_argument`
 * (reason `self`) when it is this node
 */
export function dialPeer(url: string, components: DialComponents, options: DialOptions): Promise<PeerLink> {
  const { clock } = components;
  const { timeoutMs, signal } = options;
  const timeoutError = (): GaterError =>
    new GaterError('unavailable', `${url} did not answer within ${timeoutMs} ms`);
  return withLimit((limit) => dial(url, components, options, limit), {
    limitMs: timeoutMs,
    signal,
    clock,
    timeoutError,
  });
}

async function dial(
  url: string,
  { proofs, self, handlers, clock, logger }: DialComponents,
  { frameBytes, maxInFlight }: DialOptions,
  signal: AbortSignal,
): Promise<PeerLink> {
  const opened = await openSocket(url, {
    protocol: SUBPROTOCOL,
    frameBytes: 2 * frameBytes,
    silenceMs: SILENCE_MS,
    gatherUnits: GATHER_UNITS,
    signal,
    clock,
  });
  let link: PeerLink | undefined;
  const greeting = Promise.withResolvers<Hello>();
  greeting.promise.catch(() => {});
  const peer = createPeer(
    opened.transport,
    {
      onMessage: () => link?.heard(),
      handle(method, params, context) {
        if (link === undefined) throw new GaterError('unauthorized', 'not proved yet');
        return link.handle(method, params, context);
      },
      onNotification(method, params) {
        if (method === 'hello') greeting.resolve(params as Hello);
        return link?.notified(method, params) ?? true;
      },
      logger,
      clock,
    },
    { maxDepth: JSON_DEPTH.received, frameBytes, maxInFlight, exactNumbers },
  );
  void peer.closed.then(({ code }) =>
    greeting.reject(new GaterError('unavailable', `${url} closed the connection with code ${code}`)),
  );
  try {
    const hello = await waitFor(greeting.promise, { signal });
    const own = self();
    const nonce = randomBytes(24).toString('base64url');
    const mine = proofs.prove(own, String(hello.nonce));
    let node: PeerIdentity | undefined;
    await peer.call(
      PEER_METHOD,
      { ...mine, nonce, takesStoreUuid: true },
      {
        signal,
        // In the same turn: what follows the answer comes from a node that is proved, or from nobody.
        onResult(result) {
          if (!isPeerProof(result) || !proofs.verify(result, nonce)) return;
          node = { nodeId: result.nodeId, incarnation: result.incarnation, url: result.url };
          link = new PeerLink({
            peer,
            node,
            isDialler: true,
            takesStoreUuid: result.takesStoreUuid === true,
            maxInFlight: hello.limits?.inFlight ?? maxInFlight,
            bufferedBytes: opened.bufferedBytes ?? (() => 0),
            handlers,
            clock,
          });
        },
      },
    );
    if (link !== undefined) return link;
    peer.close(FORBIDDEN, 'not a node of this cluster');
    throw new GaterError('unauthorized', `${url} did not prove that it belongs to the cluster`, {
      details: { reason: 'invalid_signature' },
    });
  } catch (error) {
    peer.close(1000, '');
    throw error;
  }
}
