import { PEER_NOTIFICATIONS } from '@esdb-gater/protocol';
import type { Clock } from '@esdb-gater/types';
import type { PeerLink } from './peer-link.ts';

/** Tells other nodes of the commits of the stores that they read. */
export interface CommitNotices {
  /** A node has read a store of this one: it is told of commits for a while. */
  read(link: PeerLink, storeId: string): void;
  /** A store of this node has new events. */
  committed(storeId: string, position: number): void;
  close(): void;
}

/** How long after its last read a node is told of the commits of a store. */
const INTERESTED_MS = 60_000;

/** The least time between two notices of a store; only the newest position of that time is sent. */
const PAUSE_MS = 10;

interface StoreReaders {
  /** When each has read last, by the monotonic clock. */
  readonly links: Map<PeerLink, number>;
  position: number;
  waits: boolean;
  lastAt: number;
}

export function createCommitNotices(clock: Clock): CommitNotices {
  const stores = new Map<string, StoreReaders>();
  let isClosed = false;

  function send(storeId: string, store: StoreReaders): void {
    store.waits = false;
    store.lastAt = clock.monotonic();
    for (const [link, readAt] of store.links) {
      if (store.lastAt - readAt > INTERESTED_MS) store.links.delete(link);
      else link.notify(PEER_NOTIFICATIONS.committed, { storeId, position: store.position });
    }
    if (store.links.size === 0) stores.delete(storeId);
  }

  return {
    read(link, storeId) {
      let store = stores.get(storeId);
      if (store === undefined) {
        store = { links: new Map(), position: 0, waits: false, lastAt: Number.NEGATIVE_INFINITY };
        stores.set(storeId, store);
      }
      if (!store.links.has(link)) {
        void link.closed.then(() => {
          store.links.delete(link);
          if (store.links.size === 0 && stores.get(storeId) === store) stores.delete(storeId);
        });
      }
      store.links.set(link, clock.monotonic());
    },
    committed(storeId, position) {
      const store = stores.get(storeId);
      if (store === undefined || isClosed) return;
      store.position = Math.max(store.position, position);
      if (store.waits) return;
      store.waits = true;
      // Not at once: the commits of a turn need one notice.
      const delayMs = Math.max(0, store.lastAt + PAUSE_MS - clock.monotonic());
      clock.setTimer(() => !isClosed && send(storeId, store), delayMs, { unref: true });
    },
    close() {
      isClosed = true;
      stores.clear();
    },
  };
}
