import { createHash } from 'node:crypto';
import { PEER_NOTIFICATIONS } from '@esdb-gater/protocol';
import type { JsonValue, MemberInfo } from '@esdb-gater/types';
import type { Revocations } from '../access/revocations.ts';
import type { PeerLink } from './peer-link.ts';
import type { PeerNetwork } from './peer-network.ts';

export interface SharedRevocationsComponents {
  readonly revocations: Pick<Revocations, 'known' | 'receive' | 'onPublished'>;
  readonly network: Pick<PeerNetwork, 'notify'>;
  readonly members: () => readonly MemberInfo[];
}

/** Passes revocations to all nodes of a cluster: each as it comes, and what a node has missed over each new link. */
export interface SharedRevocations {
  /** Compares what both sides know. */
  linked(link: PeerLink): void;
  /** Takes a notification. Returns false for one that is not about revocations. */
  notified(link: PeerLink, method: string, params: unknown): boolean;
}

/** Revocations in one notification; each has less than 1 KiB, but for its reason. */
const BATCH = 200;

export function createSharedRevocations({
  revocations,
  network,
  members,
}: SharedRevocationsComponents): SharedRevocations {
  revocations.onPublished((revocation) => {
    for (const node of members()) {
      if (!node.self) network.notify(node, PEER_NOTIFICATIONS.revoked, { revocations: [revocation] });
    }
  });
  return {
    linked: (link) => link.send(PEER_NOTIFICATIONS.revocations, { digest: digestOf(revocations.known()) }),
    notified(link, method, params) {
      if (method === PEER_NOTIFICATIONS.revocations) {
        const known = revocations.known();
        if ((params as { readonly digest?: unknown }).digest === digestOf(known)) return true;
        for (let start = 0; start < known.length; start += BATCH) {
          link.send(PEER_NOTIFICATIONS.revoked, { revocations: known.slice(start, start + BATCH) });
        }
        return true;
      }
      if (method !== PEER_NOTIFICATIONS.revoked) return false;
      const { revocations: received } = params as { readonly revocations?: unknown };
      if (!Array.isArray(received)) return false;
      for (const revocation of received as readonly JsonValue[]) revocations.receive(revocation);
      return true;
    },
  };
}

/** The same for the same revocations in any order. */
function digestOf(known: readonly JsonValue[]): string {
  const hash = createHash('sha256');
  const proofs = known.map((one) => String((one as { readonly proof?: unknown }).proof));
  for (const proof of proofs.sort()) hash.update(`${proof}\n`);
  return hash.digest('base64url');
}
