import type { FeedReplaySource } from '@esdb-gater/channels';
import { createFeed, createFeedReplaySource, type FedStore, type Feed } from '@esdb-gater/event-store';
import { finishesWithin } from '@esdb-gater/primitives';
import type { HealthReason } from '@esdb-gater/protocol';
import type { RemoteWorker } from '@esdb-gater/registry';
import type { Broker, Clock, EventStore, FeedCheckpoint, Logger, Registry } from '@esdb-gater/types';
import type { GatewayConfig } from '../config/types.ts';
import type { FedIdentity, FeedCoordination } from '../kafka/feed-coordination.ts';
import type { DataDir } from '../node/data-dir.ts';
import { createCheckpointFile } from './checkpoint-file.ts';
import { createLeasedFeed } from './leased-feed.ts';
import { createRemoteStore, type RemoteStore } from './remote-store.ts';

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
  readonly source: FeedReplaySource;
  /** Starts the feeds of the stores of this process. With `coordination` only while no other node feeds them. */
  begin(broker: Broker, coordination?: FeedCoordination): void;
  /** A remote worker is there: the feed of its store starts, or is woken. */
  workerRegistered(worker: RemoteWorker): void;
  /** Why feeds are not healthy. */
  healthReasons(): readonly HealthReason[];
  /** Waits for what is in flight, saves the checkpoints and lets other nodes go on. */
  close(): Promise<void>;
}

/** How often a remote store is asked, as nothing obliges its workers to tell of commits. */
const REMOTE_POLL_MS = 250;

/** How long closing waits: without Kafka neither a checkpoint is saved there nor a lease given up. */
const CLOSES_WITHIN_MS = 3_000;

/** @throws `invalid_argument` (reason `feed_topic`) */
export function createFeedHost(components: FeedHostComponents, config: GatewayConfig): FeedHost {
  return new StoreFeeds(components, config);
}

interface RunningFeed extends Pick<Feed, 'close'> {
  health(): Pick<ReturnType<Feed['health']>, 'status' | 'message'>;
  /** Only of one that takes turns with other nodes. */
  want?(wanted: boolean): void;
}

class StoreFeeds implements FeedHost {
  readonly source: FeedReplaySource;
  readonly #components: FeedHostComponents;
  readonly #config: GatewayConfig;
  readonly #feeds = new Map<string, RunningFeed>();
  readonly #local: readonly EventStore[];
  readonly #localStores: readonly FedStore[];
  readonly #remote = new Map<string, RemoteStore>();
  readonly #closing = new AbortController();
  #fed: readonly FedStore[];
  #broker: Broker | undefined;
  #coordination: FeedCoordination | undefined;

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
    this.source = createFeedReplaySource(() => this.#fed, { topicTemplate: config.feed.topic });
  }

  begin(broker: Broker, coordination?: FeedCoordination): void {
    this.#broker = broker;
    this.#coordination = coordination;
    for (const store of this.#local) this.#start(store, { source: store, checkpoint: store.feedCheckpoint });
    void this.#followWorkers();
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

  healthReasons(): readonly HealthReason[] {
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
    this.#closing.abort();
    const closed = Promise.all([...this.#feeds.values()].map((feed) => feed.close())).then(() =>
      this.#coordination?.close(),
    );
    if (this.#coordination === undefined) return closed;
    await finishesWithin(closed, CLOSES_WITHIN_MS, this.#components.clock);
  }

  #isFed(storeId: string): boolean {
    const { stores } = this.#config;
    return !Object.hasOwn(stores, storeId) || stores[storeId]?.feed !== false;
  }

  #beginRemote({ storeId, storeUuid }: RemoteWorker): RemoteStore {
    const { dataDir, registry } = this.#components;
    const store = createRemoteStore(registry, { storeId, storeUuid });
    this.#remote.set(storeId, store);
    this.#fed = [...this.#localStores, ...this.#remote.values()];
    const checkpoint =
      this.#coordination?.checkpoint(store) ??
      createCheckpointFile(dataDir.file('feed', `${storeId}.json`), storeUuid);
    this.#start(store, { source: store.source, checkpoint, pollMs: REMOTE_POLL_MS });
    return store;
  }

  /** Starts the feed of a store, in the place of a former one of that name. */
  #start(
    store: FedIdentity,
    {
      source,
      checkpoint,
      pollMs,
    }: {
      readonly source: RemoteStore['source'];
      readonly checkpoint: FeedCheckpoint;
      readonly pollMs?: number;
    },
  ): void {
    const { clock, logger } = this.#components;
    const { storeId } = store;
    const former = this.#feeds
      .get(storeId)
      ?.close()
      .catch((error: unknown) => logger.warn({ err: error, storeId }, 'a former feed did not close'));
    const broker = this.#broker;
    if (broker === undefined) return;
    const open = (): Feed =>
      createFeed(
        { source, broker, checkpoint, clock, logger },
        {
          realm: this.#config.realm,
          topicTemplate: this.#config.feed.topic,
          ...(pollMs === undefined ? {} : { pollMs }),
        },
      );
    const coordination = this.#coordination;
    if (coordination === undefined) {
      this.#feeds.set(storeId, open());
      return;
    }
    const acquire = () => coordination.lease(store);
    const feed = createLeasedFeed({ acquire, open, logger, after: former });
    this.#feeds.set(storeId, feed);
    feed.want(true);
  }

  /** Feeds go on when a worker answers again; a node that has none any more leaves the feed to one that has. */
  async #followWorkers(): Promise<void> {
    const { registry } = this.#components;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      for (const storeId of this.#remote.keys()) this.#takeOrLeave(storeId);
      try {
        for await (const { worker } of registry.watch({ signal })) this.#takeOrLeave(worker.storeId);
        return;
      } catch {
        // Too many changes at once to hear each of them: how it stands now is what counts.
      }
    }
  }

  #takeOrLeave(storeId: string): void {
    const store = this.#remote.get(storeId);
    if (store === undefined) return;
    const served = store.isServed();
    this.#feeds.get(storeId)?.want?.(served);
    if (served) store.wake(0);
  }
}
