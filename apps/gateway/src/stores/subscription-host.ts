import { createSubscriptions, type SubscribedStore, type SubscriptionsHost } from '@esdb-gater/event-store';
import type { HealthReason } from '@esdb-gater/protocol';
import type { RemoteWorker } from '@esdb-gater/registry';
import { type Clock, type EventStore, GaterError, type Logger, type Registry } from '@esdb-gater/types';
import type { DataDir } from '../node/data-dir.ts';
import { createRemoteStore, type RemoteStore } from './remote-store.ts';
import {
  openSubscriptionJournal,
  type SubscriptionChange,
  type SubscriptionJournal,
} from './subscription-journal.ts';

export interface SubscriptionHostComponents {
  readonly dataDir: DataDir;
  readonly registry: Registry;
  /** The stores of this process. */
  readonly local: readonly EventStore[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** Is called with each change of the subscriptions of a store that workers serve. */
  readonly onChange?: (change: StoreChange) => void;
}

/** A change of the subscriptions of a store. */
export interface StoreChange {
  readonly storeId: string;
  readonly storeUuid?: string | undefined;
  readonly change: SubscriptionChange;
}

/** The persistent subscriptions of all stores that this gateway serves. */
export interface SubscriptionHost {
  readonly subscriptions: SubscriptionsHost;
  /** Wakes the subscriptions of a store whose worker has registered. */
  workerRegistered(worker: RemoteWorker): void;
  /** Makes changes that another node has made. Those of another database than the present one are ignored. */
  take(changes: readonly StoreChange[]): Promise<void>;
  /** Yields the changes that lead to the present subscriptions of a store; none for a store of this process. */
  changes(storeId: string): AsyncIterable<StoreChange>;
  /** Why subscriptions are not healthy. */
  healthReasons(): readonly HealthReason[];
  close(): Promise<void>;
}

/** A store that remote workers serve, whose subscriptions are kept in a file of this gateway. */
interface OpenRemote {
  readonly store: SubscribedStore;
  readonly remote: RemoteStore;
  readonly journal: SubscriptionJournal;
}

export function openSubscriptionHost(components: SubscriptionHostComponents): SubscriptionHost {
  return new StoresSubscriptions(components);
}

class StoresSubscriptions implements SubscriptionHost {
  readonly subscriptions: SubscriptionsHost;
  readonly #components: SubscriptionHostComponents;
  readonly #local: ReadonlyMap<string, EventStore>;
  readonly #remote = new Map<string, Promise<OpenRemote>>();
  readonly #closing = new AbortController();

  constructor(components: SubscriptionHostComponents) {
    const { local, clock, logger } = components;
    this.#components = components;
    this.#local = new Map(local.map((store) => [store.storeId, store]));
    this.subscriptions = createSubscriptions({ stores: (storeId) => this.#find(storeId), clock, logger });
    void this.#followWorkers();
  }

  workerRegistered(worker: RemoteWorker): void {
    const { storeId } = worker;
    const wake = (position: number): void => void this.#wake(storeId, position);
    worker.onCommitted(wake);
    wake(0);
  }

  async take(changes: readonly StoreChange[]): Promise<void> {
    for (const { storeId, storeUuid, change } of changes) {
      if (this.#local.has(storeId)) continue;
      let opening = this.#remote.get(storeId);
      if (opening === undefined) {
        opening = this.#open(storeId, storeUuid, undefined);
        this.#remote.set(storeId, opening);
      }
      const { journal } = await opening;
      if (journal.storeUuid === storeUuid) await journal.take(change);
    }
  }

  async *changes(storeId: string): AsyncGenerator<StoreChange> {
    const open = await this.#remote.get(storeId)?.catch(() => undefined);
    if (open === undefined) return;
    const { journal } = open;
    const { storeUuid } = journal;
    for await (const change of journal.changes()) yield { storeId, storeUuid, change };
  }

  healthReasons(): readonly HealthReason[] {
    return this.subscriptions.problems().map(({ storeId, message }) => ({
      component: `subscriptions:${storeId}`,
      code: 'stalled',
      message,
    }));
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.subscriptions.close();
    for (const opening of this.#remote.values()) {
      const open = await opening.catch(() => undefined);
      await open?.journal.close();
    }
  }

  async #find(storeId: string): Promise<SubscribedStore> {
    const local = this.#local.get(storeId);
    if (local !== undefined) {
      if (local.subscriptionState !== undefined) return local as SubscribedStore;
      throw new GaterError('not_supported', `the store ${storeId} does not support persistent subscriptions`);
    }
    const { registry } = this.#components;
    // Throws for a store that is unknown, or has no live worker.
    const { storeUuid } = registry.pick(storeId, 'readAll');
    const open = await this.#remote.get(storeId)?.catch(() => undefined);
    if (open !== undefined && open.remote.storeUuid === storeUuid) return open.store;
    const opening = this.#open(storeId, storeUuid, open);
    this.#remote.set(storeId, opening);
    return (await opening).store;
  }

  async #open(
    storeId: string,
    storeUuid: string | undefined,
    former: OpenRemote | undefined,
  ): Promise<OpenRemote> {
    const { dataDir, registry } = this.#components;
    if (former !== undefined) {
      await this.subscriptions.release(storeId);
      await former.journal.close();
    }
    const file = dataDir.file('subscriptions', `${storeId}.ndjson`);
    const { onChange } = this.#components;
    const journal = await openSubscriptionJournal(file, storeUuid, (change) =>
      onChange?.({ storeId, storeUuid, change }),
    );
    const identity = { storeId, storeUuid };
    const remote = createRemoteStore(registry, identity, NO_CHECKPOINT);
    const store: SubscribedStore = {
      ...remote.source,
      getEvents: (params, context) =>
        registry
          .pick(storeId, 'getEvents')
          .call('getEvents', params, { deadlineMs: READ_DEADLINE_MS, ...context }),
      subscriptionState: journal.state,
    };
    return { store, remote, journal };
  }

  async #wake(storeId: string, position: number): Promise<void> {
    const open = await this.#remote.get(storeId)?.catch(() => undefined);
    open?.remote.wake(position);
  }

  /** Wakes subscriptions when a worker answers again. */
  async #followWorkers(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      for (const storeId of this.#remote.keys()) void this.#wake(storeId, 0);
      try {
        for await (const { worker } of this.#components.registry.watch({ signal })) {
          if (this.#remote.has(worker.storeId)) void this.#wake(worker.storeId, 0);
        }
        return;
      } catch {
        // Too many changes at once: only the present state counts.
      }
    }
  }
}

/** How long a remote worker may take for an event. */
const READ_DEADLINE_MS = 5_000;

/** The feed keeps the checkpoint of the feed; subscriptions keep their own. */
const NO_CHECKPOINT = { load: async () => ({ position: 0 }), save: async () => {} };
