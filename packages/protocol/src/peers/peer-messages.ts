import { isName } from '@esdb-gater/types';

/** The call with which a node proves itself to the one that it has dialled. It is not a method of clients. */
export const PEER_METHOD = 'authenticatePeer';

const MAX_TEXT_UNITS = 2_048;

/** The notifications between two nodes that have proved themselves. */
export const PEER_NOTIFICATIONS = {
  /** A message of the membership; its content belongs to the registry. */
  membership: 'membership',
  /** The other side is alive. */
  alive: 'alive',
  /** A store of the sender has new events. */
  committed: 'committed',
  /** What revocations the sender knows, as a digest. */
  revocations: 'revocations',
  /** Revocations that the receiver may lack. */
  revoked: 'revoked',
  /** Changes of the persistent subscriptions of a store that workers serve. */
  subscriptions: 'subscriptions',
  /** An event for a consumer of the receiver. */
  consumerEvent: 'consumerEvent',
  /** A consumer of the receiver has ended. */
  consumerEnded: 'consumerEnded',
  /** Whether a consumer of the sender takes events. */
  consumerReady: 'consumerReady',
} as const;

/** Who a node is. */
export interface PeerIdentity {
  readonly nodeId: string;
  /** Increases with each start of the node. */
  readonly incarnation: number;
  /** Where others reach it. */
  readonly url: string;
}

/** A node with the proof that it has the secret of the cluster. */
export interface PeerProof extends PeerIdentity {
  /** base64url of HMAC-SHA256 over the nonce of the other side, see `peerProofText`. */
  readonly proof: string;
  /** True when its calls may name the `storeUuid` that the worker must have. Absent from nodes up to 0.1.0. */
  readonly takesStoreUuid?: boolean;
}

export interface AuthenticatePeerParams extends PeerProof {
  /** For the proof of the other side. */
  readonly nonce: string;
}

export function isPeerProof(value: unknown): value is PeerProof {
  const { nodeId, incarnation, url, proof } = (value ?? {}) as Partial<Record<keyof PeerProof, unknown>>;
  return isName(nodeId) && isIncarnation(incarnation) && isText(url) && isText(proof);
}

export function isAuthenticatePeerParams(value: unknown): value is AuthenticatePeerParams {
  return isPeerProof(value) && isText((value as { readonly nonce?: unknown }).nonce);
}

function isIncarnation(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

/** Texts of a proof are short: nothing of a stranger is kept or signed that is longer. */
function isText(value: unknown): boolean {
  return typeof value === 'string' && value.length >= 1 && value.length <= MAX_TEXT_UNITS;
}

/** The text whose HMAC-SHA256 under the secret of the cluster proves a node. */
export function peerProofText(nonce: string, nodeId: string, incarnation: number): string {
  return `esdb-gater-peer/1\n${nonce}\n${nodeId}\n${incarnation}`;
}
