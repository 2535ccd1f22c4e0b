import type { FedSource } from '@esdb-gater/channels';
import { createFedSource, createFeed, type FedStore, type Feed } from '@esdb-gater/event-store';
import type { HealthReason } from '@esdb-gater/protocol';
import type { RemoteWorker } from '@esdb-gater/registry';
import type {
  Broker,
  CallContext,
  Clock,
  EventStore,
  Logger,
  ReadAllParams,
  Registry,
  StorePage,
} from '@esdb-gater/types';
import type { GatewayConfig } from '../config/types.ts';
import type { DataDir } from '../node/data-dir.ts';
import { createCheckpointFile } from './checkpoint-file.ts';

export interface FeedHostComponents {
  readonly dataDir: DataDir;
  readonly registry: Registry;
  /** The stores of this process. */
  readonly local: readonly EventStore[];
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Feeds the events of every store to the channel `events`. */
export interface FeedHost {
  /** Where fed events are read again. */
  readonly source: FedSource;
  /** Starts the feeds of the stores of this process. */
  begin(broker: Broker): void;
  /** A remote worker is there: the feed of its store starts, or is woken. */
  workerRegistered(worker: RemoteWorker): void;
  /** What the feeds complain of. */
  complaints(): readonly HealthReason[];
  /** Waits for what is in flight and saves the checkpoints. */
  close(): Promise<void>;
}

/** How often a remote store is asked, as nothing obliges its workers to tell of commits. */
const REMOTE_POLL_MS = 250;

/** How long a remote worker may take for a page of the feed. */
const READ_DEADLINE_MS = 5_000;

/** @throws `invalid_argument` (reason `feed_topic`) */
export function createFeedHost(components: FeedHostComponents, config: GatewayConfig): FeedHost {
  return new StoreFeeds(components, config);
}

/** A store that remote workers serve, as the feed sees it. */
interface RemoteStore extends FedStore {
  readonly storeUuid: string | undefined;
  readonly wake: (position: number) => void;
  readonly onCommitted: (listener: (position: number) => void) => () => void;
}

class StoreFeeds implements FeedHost {
  readonly source: FedSource;
  readonly #components: FeedHostComponents;
  readonly #config: GatewayConfig;
  readonly #feeds = new Map<string, Feed>();
  readonly #local: readonly EventStore[];
  readonly #localStores: readonly FedStore[];
  readonly #remote = new Map<string, RemoteStore>();
  #fed: readonly FedStore[];
  #broker: Broker | undefined;

  constructor(components: FeedHostComponents, config: GatewayConfig) {
    this.#components = components;
    this.#config = config;
    this.#local = components.local.filter(({ storeId }) => this.#isFed(storeId));
    this.#localStores = this.#local.map((store) => ({
      storeId: store.storeId,
      readAll: (params, context) => store.readAll(params, context),
      ephemeral: config.stores[store.storeId]?.engine === 'memory',
    }));
    this.#fed = this.#localStores;
    this.source = createFedSource(() => this.#fed, { topicTemplate: config.feed.topic });
  }

  begin(broker: Broker): void {
    this.#broker = broker;
    for (const store of this.#local) {
      const { clock, logger } = this.#components;
      this.#feeds.set(
        store.storeId,
        createFeed(
          { source: store, broker, checkpoint: store.feedCheckpoint, clock, logger },
          this.#options(),
        ),
      );
    }
  }

  workerRegistered(worker: RemoteWorker): void {
    const { storeId } = worker;
    if (!this.#isFed(storeId)) return;
    const known = this.#remote.get(storeId);
    const store =
      known?.storeUuid === worker.storeUuid && known !== undefined ? known : this.#beginRemote(worker);
    worker.onCommitted((position) => store.wake(position));
    store.wake(0);
  }

  complaints(): readonly HealthReason[] {
    const reasons: HealthReason[] = [];
    for (const [storeId, feed] of this.#feeds) {
      const { status, message } = feed.health();
      if (status === 'healthy') continue;
      reasons.push({
        component: `feed:${storeId}`,
        code: 'unavailable',
        message: message ?? `the feed is ${status}`,
      });
    }
    return reasons;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#feeds.values()].map((feed) => feed.close()));
  }

  #isFed(storeId: string): boolean {
    const { stores } = this.#config;
    return !Object.hasOwn(stores, storeId) || stores[storeId]?.feed !== false;
  }

  #options() {
    return { realm: this.#config.realm, topicTemplate: this.#config.feed.topic };
  }

  #beginRemote({ storeId, storeUuid }: RemoteWorker): RemoteStore {
    const { dataDir, registry, clock, logger } = this.#components;
    const listeners = new Set<(position: number) => void>();
    // Past the calls' own retries and telemetry: the feed tries again by itself, and asks all the time.
    const readAll = async (params: ReadAllParams, context: CallContext = {}): Promise<StorePage> => {
      const worker = registry.pick(storeId, 'readAll');
      return (await worker.call('readAll', params, {
        deadlineMs: READ_DEADLINE_MS,
        ...context,
      })) as StorePage;
    };
    const store: RemoteStore = {
      storeId,
      storeUuid,
      readAll,
      wake(position) {
        for (const listener of listeners) listener(position);
      },
      onCommitted(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    };
    this.#remote.set(storeId, store);
    this.#fed = [...this.#localStores, ...this.#remote.values()];
    const checkpoint = createCheckpointFile(dataDir.file('feed', `${storeId}.json`), storeUuid);
    const former = this.#feeds.get(storeId);
    former
      ?.close()
      .catch((error: unknown) => logger.warn({ err: error, storeId }, 'a former feed did not close'));
    if (this.#broker === undefined) return store;
    const feed = createFeed(
      {
        source: { ...store, readAll: whenServed(store, registry, readAll) },
        broker: this.#broker,
        checkpoint,
        clock,
        logger,
      },
      { ...this.#options(), pollMs: REMOTE_POLL_MS },
    );
    this.#feeds.set(storeId, feed);
    return store;
  }
}

/** Reads once a worker is there: its absence is no error of the feed, which goes on in the moment one comes. */
function whenServed(
  { storeId, onCommitted }: RemoteStore,
  registry: Registry,
  read: FedStore['readAll'],
): FedStore['readAll'] {
  const isServed = (): boolean =>
    registry.workers(storeId).some(({ workerId }) => registry.isLive(storeId, workerId));
  return async (params, context) => {
    while (!isServed()) {
      await new Promise<void>((resolve, reject) => {
        const signal = context?.signal;
        const end = (): void => {
          detach();
          reject(signal?.reason);
        };
        const detach = onCommitted(() => {
          detach();
          signal?.removeEventListener('abort', end);
          resolve();
        });
        if (signal?.aborted === true) end();
        else signal?.addEventListener('abort', end, { once: true });
      });
    }
    return read(params, context);
  };
}
