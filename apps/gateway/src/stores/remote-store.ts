import type { FedStore, FeedStore } from '@esdb-gater/event-store';
import { waitUntil } from '@esdb-gater/primitives';
import type { CallContext, ReadAllParams, Registry, StorePage } from '@esdb-gater/types';

/** A store that remote workers serve, as the feed sees it. */
export interface RemoteStore extends FedStore {
  readonly storeUuid: string | undefined;
  /** The same store for the feed, which waits while nobody serves it. */
  readonly source: FeedStore;
  /** Some worker answers. */
  isServed(): boolean;
  /** A worker has come, or has committed up to `position`. */
  wake(position: number): void;
}

/** How long a remote worker may take for a page of the feed. */
const READ_DEADLINE_MS = 5_000;

export function createRemoteStore(
  registry: Registry,
  { storeId, storeUuid }: { readonly storeId: string; readonly storeUuid?: string | undefined },
): RemoteStore {
  const listeners = new Set<(position: number) => void>();
  const onCommitted = (listener: (position: number) => void): (() => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  const isServed = (): boolean =>
    registry.workers(storeId).some(({ workerId }) => registry.isLive(storeId, workerId));
  // Past the calls' own retries and telemetry: the feed tries again by itself, and asks all the time.
  const readAll = async (params: ReadAllParams, context: CallContext = {}): Promise<StorePage> => {
    const worker = registry.pick(storeId, 'readAll');
    return worker.call('readAll', params, { deadlineMs: READ_DEADLINE_MS, ...context });
  };
  return {
    storeId,
    storeUuid,
    readAll,
    isServed,
    wake(position) {
      for (const listener of listeners) listener(position);
    },
    source: {
      storeId,
      onCommitted,
      // The absence of workers is no error of the feed, which goes on in the moment one comes.
      async readAll(params, context) {
        await waitUntil(isServed, onCommitted, { signal: context?.signal });
        return readAll(params, context);
      },
    },
  };
}
