import type { FedStore, FeedStore } from '@esdb-gater/event-store';
import { waitUntil } from '@esdb-gater/primitives';
import type { CallContext, FeedCheckpoint, ReadAllParams, Registry, StorePage } from '@esdb-gater/types';
import type { FedIdentity } from '../kafka/feed-coordination.ts';

/** A store that remote workers serve, as feed and replays use it. */
export interface RemoteStore extends FedStore {
  readonly storeUuid: string | undefined;
  readonly checkpoint: FeedCheckpoint;
  /** The same store for the feed, with reads that wait while no worker serves it. */
  readonly source: FeedStore;
  /** Returns true when some worker answers. */
  isServed(): boolean;
  /** Wakes the feed: a worker has registered, or has committed up to `position`. */
  wake(position: number): void;
}

/** How long a remote worker may take for a page. */
const READ_DEADLINE_MS = 5_000;

export function createRemoteStore(
  registry: Registry,
  { storeId, storeUuid }: FedIdentity,
  checkpoint: FeedCheckpoint,
): RemoteStore {
  const listeners = new Set<(position: number) => void>();
  const onCommitted = (listener: (position: number) => void): (() => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  const isServed = (): boolean =>
    registry.workers(storeId).some(({ workerId }) => registry.isLive(storeId, workerId));
  // Without the retries and telemetry of calls: the feed retries by itself, and reads all the time.
  const readAll = async (params: ReadAllParams, context: CallContext = {}): Promise<StorePage> => {
    const worker = registry.pick(storeId, 'readAll');
    return worker.call('readAll', params, { deadlineMs: READ_DEADLINE_MS, ...context });
  };
  return {
    storeId,
    storeUuid,
    checkpoint,
    readAll,
    fedTo: () => checkpoint.load(),
    isServed,
    wake(position) {
      for (const listener of listeners) listener(position);
    },
    source: {
      storeId,
      onCommitted,
      // Its next worker may serve another database.
      replaceable: true,
      // The absence of workers is not an error of the feed, which continues as soon as a worker registers.
      async readAll(params, context) {
        await waitUntil(isServed, onCommitted, { signal: context?.signal });
        return readAll(params, context);
      },
    },
  };
}
