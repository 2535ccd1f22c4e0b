import { isAuthenticatePeerParams, type Peer, type PeerIdentity, type PeerProof } from '@esdb-gater/protocol';
import { type Clock, GaterError, invalidArgument, type Logger } from '@esdb-gater/types';
import { type PeerHandlers, PeerLink } from './peer-link.ts';
import type { PeerProofs } from './peer-proof.ts';

/** The connection over which a node proves itself. */
export interface AcceptedConnection {
  readonly peer: Peer;
  /** That of `hello`. */
  readonly nonce: string;
  readonly bufferedBytes: () => number;
}

/** Lets nodes that dial this one prove themselves. */
export interface PeerAcceptor {
  /**
   * Verifies the parameters of `authenticatePeer`, and proves this node in return.
   *
   * @throws `unauthorized` (reason `invalid_signature`) for a wrong proof; `invalid_argument` (reason `schema`), and (reason
   * `self`) when this node has dialled itself; `unavailable` while it starts or stops
   */
  accept(
    params: unknown,
    connection: AcceptedConnection,
  ): { readonly link: PeerLink; readonly answer: PeerProof };
  /** Takes the link into use, once the answer is sent. */
  accepted(link: PeerLink): void;
}

export interface PeerAcceptorComponents {
  readonly proofs: PeerProofs;
  readonly self: () => PeerIdentity;
  readonly handlers: PeerHandlers;
  readonly onLink: (link: PeerLink) => void;
  /** False before this node has begun, and once it stops. */
  readonly isOpen: () => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface PeerAcceptorOptions {
  readonly maxInFlight: number;
}

export function createPeerAcceptor(
  { proofs, self, handlers, onLink, isOpen, clock, logger }: PeerAcceptorComponents,
  { maxInFlight }: PeerAcceptorOptions,
): PeerAcceptor {
  return {
    accept(params, { peer, nonce, bufferedBytes }) {
      if (!isAuthenticatePeerParams(params)) {
        throw invalidArgument('schema', 'the parameters must be { nodeId, incarnation, url, nonce, proof }');
      }
      const { nodeId, incarnation, url } = params;
      if (!proofs.verify(params, nonce)) {
        logger.warn({ nodeId: nodeId.slice(0, 64) }, 'refused a node without the secret of the cluster');
        throw new GaterError('unauthorized', 'the proof does not fit the secret of this cluster', {
          details: { reason: 'invalid_signature' },
        });
      }
      if (!isOpen()) throw new GaterError('unavailable', 'the node is starting or stopping');
      const own = self();
      if (nodeId === own.nodeId && incarnation === own.incarnation && url === own.url) {
        throw invalidArgument('self', 'this is the node itself');
      }
      const node = { nodeId, incarnation, url };
      const link = new PeerLink({
        peer,
        node,
        isDialler: false,
        takesStoreUuid: params.takesStoreUuid === true,
        maxInFlight,
        bufferedBytes,
        handlers,
        clock,
      });
      return { link, answer: { ...proofs.prove(own, params.nonce), takesStoreUuid: true } };
    },
    accepted: onLink,
  };
}
