import { rename } from 'node:fs/promises';
import { appendTraced } from '@esdb-gater/channels';
import {
  createFeed,
  createFeedReplaySource,
  type FedStore,
  type Feed,
  fedStore,
  type PublishRecord,
} from '@esdb-gater/event-store';
import { finishesWithin, waitFor } from '@esdb-gater/primitives';
import type { HealthReason } from '@esdb-gater/protocol';
import type { RemoteWorker } from '@esdb-gater/registry';
import type {
  Broker,
  Clock,
  EventStore,
  FeedCheckpoint,
  FeedReplaySource,
  Logger,
  Registry,
} from '@esdb-gater/types';
import type { GatewayConfig } from '../config/types.ts';
import type { FedIdentity, FeedCoordination } from '../kafka/feed-coordination.ts';
import type { DataDir } from '../node/data-dir.ts';
import type { AppendTraces } from '../telemetry/append-traces.ts';
import { createCheckpointFile } from './checkpoint-file.ts';
import { createLeasedFeed } from './leased-feed.ts';
import { isConnected, whenConnected } from './open-store.ts';
import { checkpointPath, leftCheckpointPath, rememberedStores } from './remembered-stores.ts';
import { createRemoteStore, type RemoteStore } from './remote-store.ts';

export interface FeedHostComponents {
  readonly nodeId: string;
  readonly dataDir: DataDir;
  readonly registry: Registry;
  /** The stores of this process. */
  readonly local: readonly EventStore[];
  /** Where the traces of appended events are found. */
  readonly traces: Pick<AppendTraces, 'traceOf'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Feeds the events of every store to the channel `events`. */
export interface FeedHost {
  /** Reads fed events again. */
  readonly source: FeedReplaySource;
  /** Starts the feeds. With `coordination`, each only while no other node feeds its store. */
  begin(broker: Broker, coordination?: FeedCoordination): void;
  /** Starts or wakes the feed of a store after its worker has registered. */
  workerRegistered(worker: RemoteWorker): void;
  /** Why feeds are not healthy. */
  healthReasons(): readonly HealthReason[];
  /** Waits for publishes in flight, saves the checkpoints and releases the leases. */
  close(): Promise<void>;
}

/** The interval for polling a remote store, since its workers need not report commits. */
const REMOTE_POLL_MS = 250;

/** The same for a store of another node, which reports the commits that it hears of itself. */
const CLUSTER_POLL_MS = 1_000;

/** How long closing waits for Kafka, where checkpoints are saved and leases given up. */
const CLOSES_WITHIN_MS = 3_000;

/**
 * Creates the feeds of all stores, those of remote workers included that were fed before the gateway started.
 *
 * @throws `invalid_argument` (reason `feed_topic`)
 */
export async function openFeedHost(components: FeedHostComponents, config: GatewayConfig): Promise<FeedHost> {
  // With Kafka, replays read from Kafka, and any node may feed the store.
  const remembered = config.kafka.brokers === null ? await rememberedStores(components.dataDir) : [];
  return new StoreFeeds(components, config, remembered);
}

interface RunningFeed extends Pick<Feed, 'close'> {
  health(): Pick<ReturnType<Feed['health']>, 'status' | 'message'>;
  /** Only for a feed that is shared with other nodes. */
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
  /** Remote stores that a worker has served since the gateway started. */
  readonly #served = new Set<string>();
  readonly #closing = new AbortController();
  #fed: readonly FedStore[];
  #broker: Broker | undefined;
  #coordination: FeedCoordination | undefined;

  constructor(components: FeedHostComponents, config: GatewayConfig, remembered: readonly FedIdentity[]) {
    this.#components = components;
    this.#config = config;
    this.#local = components.local.filter(({ storeId }) => this.#isFed(storeId));
    this.#localStores = this.#local.map((store) =>
      fedStore(store, config.stores[store.storeId]?.engine === 'memory'),
    );
    this.#fed = this.#localStores;
    for (const store of remembered) if (this.#isRemote(store.storeId)) this.#addRemote(store);
    this.source = createFeedReplaySource(() => this.#fed, { topicTemplate: config.feed.topic });
  }

  begin(broker: Broker, coordination?: FeedCoordination): void {
    this.#broker = broker;
    this.#coordination = coordination;
    for (const store of this.#local) {
      this.#start(store, {
        source: store,
        checkpoint: store.feedCheckpoint,
        // The lease is for the identity of the store, which is known only then.
        ready: isConnected(store) ? undefined : () => waitFor(whenConnected(store), this.#closing),
      });
    }
    for (const store of this.#remote.values()) this.#startRemote(store);
    void this.#followWorkers();
  }

  workerRegistered(worker: RemoteWorker): void {
    const { storeId } = worker;
    if (!this.#isFed(storeId)) return;
    this.#served.add(storeId);
    let store = this.#remote.get(storeId);
    if (store === undefined || store.storeUuid !== worker.storeUuid) {
      store = this.#addRemote(worker);
      this.#startRemote(store, worker.nodeId === this.#components.nodeId ? REMOTE_POLL_MS : CLUSTER_POLL_MS);
    }
    const { wake } = store;
    worker.onCommitted(wake);
    wake(0);
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

  #isRemote(storeId: string): boolean {
    const { stores } = this.#config;
    return this.#isFed(storeId) && (!Object.hasOwn(stores, storeId) || stores[storeId]?.engine === 'remote');
  }

  #addRemote({ storeId, storeUuid }: FedIdentity): RemoteStore {
    const { dataDir, registry } = this.#components;
    const identity = { storeId, storeUuid };
    const checkpoint =
      this.#coordination?.checkpoint(identity) ??
      createCheckpointFile(checkpointPath(dataDir, storeId), storeUuid, leftCheckpointPath(dataDir, storeId));
    const store = createRemoteStore(registry, identity, checkpoint);
    this.#remote.set(storeId, store);
    this.#fed = [...this.#localStores, ...this.#remote.values()];
    return store;
  }

  #startRemote(store: RemoteStore, pollMs = REMOTE_POLL_MS): void {
    this.#start(store, { source: store.source, checkpoint: store.checkpoint, pollMs });
  }

  /** Removes a store whose last worker has unregistered. Its checkpoint stays for the case that the store returns. */
  async #forget(storeId: string): Promise<void> {
    const { dataDir, logger } = this.#components;
    const feed = this.#feeds.get(storeId);
    this.#served.delete(storeId);
    this.#remote.delete(storeId);
    this.#feeds.delete(storeId);
    this.#fed = [...this.#localStores, ...this.#remote.values()];
    try {
      await feed?.close();
      if (this.#coordination === undefined && !this.#remote.has(storeId)) {
        await rename(checkpointPath(dataDir, storeId), leftCheckpointPath(dataDir, storeId));
      }
    } catch (error) {
      logger.debug({ err: error, storeId }, 'cannot set aside the checkpoint of a store that has left');
    }
  }

  /** Starts the feed of a store, in place of an earlier one of that name. */
  #start(
    store: FedIdentity,
    {
      source,
      checkpoint,
      pollMs,
      ready,
    }: {
      readonly source: RemoteStore['source'];
      readonly checkpoint: FeedCheckpoint;
      readonly pollMs?: number;
      /** Settles when the feed may ask for its lease, which it needs with other nodes only. */
      readonly ready?: (() => Promise<void>) | undefined;
    },
  ): void {
    const { traces, clock, logger } = this.#components;
    const { storeId } = store;
    const former = this.#feeds
      .get(storeId)
      ?.close()
      .catch((error: unknown) => logger.warn({ err: error, storeId }, 'cannot close an earlier feed'));
    const broker = this.#broker;
    if (broker === undefined) return;
    const system = this.#coordination === undefined ? 'esdb_gater' : 'kafka';
    // An event that no trace has appended is published without a span of its own.
    const publish: PublishRecord = (record, signal) =>
      record.traceparent === undefined
        ? broker.append('events', record, { signal })
        : appendTraced({ broker, system }, 'events', record, { signal });
    const open = (): Feed =>
      createFeed(
        { source, publish, traceOf: (event) => traces.traceOf(event), checkpoint, clock, logger },
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
    const feed = createLeasedFeed({ acquire, open, logger, after: former ?? ready?.() });
    this.#feeds.set(storeId, feed);
    feed.want(true);
  }

  /** Wakes feeds when a worker answers again. A node without workers leaves the feed to another node. */
  async #followWorkers(): Promise<void> {
    const { registry } = this.#components;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      for (const storeId of this.#remote.keys()) this.#takeOrLeave(storeId);
      try {
        for await (const { worker } of registry.watch({ signal })) this.#takeOrLeave(worker.storeId);
        return;
      } catch {
        // Too many changes at once: only the current state counts.
      }
    }
  }

  #isServedHere(storeId: string): boolean {
    const { registry, nodeId } = this.#components;
    return registry
      .workers(storeId)
      .some((worker) => worker.nodeId === nodeId && registry.isLive(storeId, worker.workerId));
  }

  #takeOrLeave(storeId: string): void {
    const store = this.#remote.get(storeId);
    if (store === undefined) return;
    if (this.#served.has(storeId) && !this.#components.registry.stores().includes(storeId)) {
      void this.#forget(storeId);
      return;
    }
    const served = store.isServed();
    // Of nodes that share a Kafka one that has the store at hand feeds it.
    this.#feeds.get(storeId)?.want?.(this.#isServedHere(storeId));
    if (served) store.wake(0);
  }
}
