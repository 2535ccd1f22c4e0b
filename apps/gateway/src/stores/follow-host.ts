import {
  createStoreFollows,
  createStoreTail,
  type Follow,
  type FollowParams,
  type FollowSink,
  type FollowStore,
  type StoreFollows,
} from '@esdb-gater/event-store';
import type { RemoteWorker } from '@esdb-gater/registry';
import {
  type CallContext,
  type Clock,
  type EventStore,
  GaterError,
  type Logger,
  type Registry,
  type StoreMethod,
  type StoreParamsOf,
  type StoreResultOf,
} from '@esdb-gater/types';

export interface FollowHostComponents {
  readonly registry: Registry;
  /** The stores of this process. */
  readonly local: readonly EventStore[];
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Lets connections follow the stores of this gateway. */
export interface FollowHost {
  /**
   * Adds a follow, which begins with `begin`.
   *
   * @throws `store_not_found`, `no_workers`; `invalid_argument` (reason `position_lost`); `overloaded`
   */
  follow(storeId: string, params: FollowParams, sink: FollowSink): Promise<Follow>;
  /** Must be called for each registered worker, which may tell of commits. */
  workerRegistered(worker: RemoteWorker): void;
  close(): void;
}

/** How long a worker may take for a page. */
const READ_DEADLINE_MS = 5_000;

/** How often a remote store is polled whose workers do not tell of commits, or may have missed to. */
const UNNOTIFIED_POLL_MS = 250;

/** How often a store that does not answer is asked. */
const MAX_RETRY_MS = 1_000;

/** Follows of all connections together. */
const MAX_FOLLOWS = 100_000;

/** A store that is followed. */
interface FollowedStore {
  readonly follows: StoreFollows;
  /** Is called after a commit, and when a worker comes back. */
  readonly wake: (position: number) => void;
  readonly close: () => void;
  /** Follows that exist or are being checked. The store is forgotten with the last one. */
  users: number;
}

export function createFollowHost(components: FollowHostComponents): FollowHost {
  return new StoreFollowHost(components);
}

class StoreFollowHost implements FollowHost {
  readonly #components: FollowHostComponents;
  readonly #stores = new Map<string, FollowedStore>();
  #count = 0;

  constructor(components: FollowHostComponents) {
    this.#components = components;
  }

  async follow(storeId: string, params: FollowParams, sink: FollowSink): Promise<Follow> {
    // Refused at once: names that callers make up must not pile up here.
    this.#components.registry.pick(storeId, 'readAll');
    if (this.#count >= MAX_FOLLOWS) {
      throw new GaterError('overloaded', `a gateway serves at most ${MAX_FOLLOWS} follows`);
    }
    const store = this.#enter(storeId);
    const leave = once(() => this.#leave(storeId, store));
    try {
      const follow = await store.follows.follow(params, sink);
      return {
        begin: () => follow.begin(),
        close: () => {
          follow.close();
          leave();
        },
      };
    } catch (error) {
      leave();
      throw error;
    }
  }

  workerRegistered(worker: RemoteWorker): void {
    const wake = (position: number): void => this.#stores.get(worker.storeId)?.wake(position);
    worker.onCommitted(wake);
    wake(0);
  }

  close(): void {
    for (const { close } of this.#stores.values()) close();
    this.#stores.clear();
  }

  #enter(storeId: string): FollowedStore {
    let store = this.#stores.get(storeId);
    if (store === undefined) {
      store = this.#open(storeId);
      this.#stores.set(storeId, store);
    }
    store.users += 1;
    this.#count += 1;
    return store;
  }

  #leave(storeId: string, store: FollowedStore): void {
    store.users -= 1;
    this.#count -= 1;
    if (store.users > 0) return;
    store.close();
    if (this.#stores.get(storeId) === store) this.#stores.delete(storeId);
  }

  #open(storeId: string): FollowedStore {
    const { clock, logger } = this.#components;
    const listeners = new Set<(position: number) => void>();
    const store = this.#storeOf(storeId, listeners);
    const tail = createStoreTail(
      { store, clock, logger },
      {
        maxDelayMs: MAX_RETRY_MS,
        ...(store.replaceable === true ? { unnotifiedPollMs: UNNOTIFIED_POLL_MS } : {}),
      },
    );
    const follows = createStoreFollows({ store, tail, clock, logger });
    return {
      follows,
      wake(position) {
        for (const listener of listeners) listener(position);
      },
      close() {
        follows.close();
        tail.close();
      },
      users: 0,
    };
  }

  /** Returns a store as its followers read it: by whichever worker serves it, without the retries of calls. */
  #storeOf(storeId: string, listeners: Set<(position: number) => void>): FollowStore {
    const { registry, local } = this.#components;
    const own = local.find((store) => store.storeId === storeId);
    const call = async <M extends StoreMethod>(
      method: M,
      params: StoreParamsOf<M>,
      context: CallContext = {},
    ): Promise<StoreResultOf<M>> =>
      registry.pick(storeId, method).call(method, params, { deadlineMs: READ_DEADLINE_MS, ...context });
    return {
      storeId,
      // The next worker of another process may serve another database.
      replaceable: own === undefined,
      readAll: ({ query, ...params }, context) =>
        query === undefined
          ? call('readAll', params, context)
          : call('queryEvents', { ...params, query }, context),
      getEvents: (params, context) => call('getEvents', params, context),
      onCommitted(listener) {
        if (own !== undefined) return own.onCommitted(listener);
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
    };
  }
}

function once(run: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) run();
    isDone = true;
  };
}
