import { PEER_NOTIFICATIONS } from '@esdb-gater/protocol';
import { isStoreId, type Logger, type PeerAddress } from '@esdb-gater/types';
import type { StoreChange, SubscriptionHost } from '../stores/subscription-host.ts';
import type { PeerLink } from './peer-link.ts';

export interface SubscriptionCopiesComponents {
  readonly host: Pick<SubscriptionHost, 'take' | 'changes'>;
  /** The other nodes that workers of a store are connected to. */
  readonly candidates: (storeId: string) => readonly Required<PeerAddress>[];
  readonly notify: (node: Required<PeerAddress>, method: string, params: unknown) => void;
  readonly logger: Logger;
}

/**
 * Keeps copies of the persistent subscriptions of stores that workers serve on all nodes that these are connected to: the
 * node that serves them next goes on from the same checkpoints.
 */
export interface SubscriptionCopies {
  /** Sends a change to all that may serve the store next. */
  changed(change: StoreChange): void;
  /** Sends the whole state of a store to one node, or over one link. */
  sendAll(storeId: string, to: Required<PeerAddress> | PeerLink): Promise<void>;
  /** Takes the notification of another node. Returns false when it is malformed. */
  received(params: unknown): boolean;
  /** Resolves when what was received so far is in the files of this node. */
  settled(): Promise<void>;
}

/** Changes in one notification. */
const BATCH = 200;

export function createSubscriptionCopies({
  host,
  candidates,
  notify,
  logger,
}: SubscriptionCopiesComponents): SubscriptionCopies {
  let work: Promise<void> = Promise.resolve();
  return {
    changed(change) {
      for (const node of candidates(change.storeId)) {
        notify(node, PEER_NOTIFICATIONS.subscriptions, { changes: [change] });
      }
    },
    async sendAll(storeId, to) {
      const send = (changes: readonly StoreChange[]): void => {
        if (changes.length === 0) return;
        if ('send' in to) to.send(PEER_NOTIFICATIONS.subscriptions, { changes });
        else notify(to, PEER_NOTIFICATIONS.subscriptions, { changes });
      };
      let batch: StoreChange[] = [];
      for await (const change of host.changes(storeId)) {
        batch.push(change);
        if (batch.length < BATCH) continue;
        send(batch);
        batch = [];
      }
      send(batch);
    },
    received(params) {
      const { changes } = params as { readonly changes?: unknown };
      if (!Array.isArray(changes) || !changes.every(isStoreChange)) return false;
      work = work
        .then(() => host.take(changes))
        .catch((error: unknown) =>
          logger.warn({ err: error }, 'cannot keep the subscriptions of another node'),
        );
      return true;
    },
    settled: () => work,
  };
}

function isStoreChange(value: unknown): value is StoreChange {
  const { storeId, change } = (value ?? {}) as { readonly storeId?: unknown; readonly change?: unknown };
  return isStoreId(storeId) && Array.isArray(change) && typeof change[0] === 'string';
}
