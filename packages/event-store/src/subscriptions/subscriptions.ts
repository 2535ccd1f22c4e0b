import {
  type Clock,
  type EventStore,
  GaterError,
  type JoinedConsumer,
  type ListParkedParams,
  type Logger,
  type NamedSubscription,
  type ParkedPage,
  type RemoveSubscriptionParams,
  type ReplayParkedParams,
  type ResetSubscriptionParams,
  type SaveSubscriptionParams,
  type Subscription,
  type SubscriptionConsumer,
  type SubscriptionStats,
  type Subscriptions,
  silentLogger,
  systemClock,
} from '@esdb-gater/types';
import { notSupported } from '../errors.ts';
import { BufferBudget } from './buffer-budget.ts';
import { StoreSubscriptions } from './store-subscriptions.ts';
import type { SubscribedStore } from './subscribed-store.ts';

export interface SubscriptionsComponents {
  /** The stores of this process, or a function that finds one by its id and throws `store_not_found` for others. */
  readonly stores: readonly EventStore[] | ((storeId: string) => SubscribedStore | Promise<SubscribedStore>);
  /** @default the platform's */
  readonly clock?: Clock;
  /** @default silent */
  readonly logger?: Logger;
}

export interface SubscriptionsOptions {
  /** What all subscriptions together may buffer. @default 64 MiB */
  readonly bufferBytes?: number;
  /** @default 500 */
  readonly maxPerMaker?: number;
  /** @default 2 000 */
  readonly maxPerStore?: number;
  /** How often a store without `onCommitted` is asked. @default 250 */
  readonly pollMs?: number;
}

/** The subscriptions of a process whose stores come and go. */
export interface SubscriptionsHost extends Subscriptions {
  /** Ends the subscriptions of a store that has left: their consumers end with `unavailable`. The state stays. */
  release(storeId: string): Promise<void>;
}

/** Creates the persistent subscriptions of some stores. Each store keeps its own in its `subscriptionState`. */
export function createSubscriptions(
  components: SubscriptionsComponents,
  options: SubscriptionsOptions = {},
): SubscriptionsHost {
  return new ProcessSubscriptions(components, options);
}

class ProcessSubscriptions implements SubscriptionsHost {
  readonly #find: (storeId: string) => SubscribedStore | Promise<SubscribedStore>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #options: SubscriptionsOptions;
  readonly #budget: BufferBudget;
  readonly #open = new Map<string, StoreSubscriptions>();
  #closed = false;

  constructor(components: SubscriptionsComponents, options: SubscriptionsOptions) {
    const { stores } = components;
    this.#find = typeof stores === 'function' ? stores : (storeId) => localStore(stores, storeId);
    this.#clock = components.clock ?? systemClock;
    this.#logger = components.logger ?? silentLogger;
    this.#options = options;
    this.#budget = new BufferBudget(options.bufferBytes ?? 64 * 1_048_576);
  }

  async save(params: SaveSubscriptionParams, maker = 'process'): Promise<Subscription> {
    return (await this.#of(params.storeId)).save(params, maker);
  }

  async join(
    params: SaveSubscriptionParams,
    consumer: SubscriptionConsumer,
    maker = 'process',
  ): Promise<JoinedConsumer> {
    return (await this.#of(params.storeId)).join(params, consumer, maker);
  }

  async remove(params: RemoveSubscriptionParams): Promise<boolean> {
    return (await this.#of(params.storeId)).remove(params);
  }

  async list(storeId: string): Promise<readonly Subscription[]> {
    return (await this.#of(storeId)).list();
  }

  async get({ storeId, name }: NamedSubscription): Promise<Subscription> {
    return (await this.#of(storeId)).get(name);
  }

  async listParked(params: ListParkedParams): Promise<ParkedPage> {
    return (await this.#of(params.storeId)).listParked(params);
  }

  async replayParked(params: ReplayParkedParams): Promise<number> {
    return (await this.#of(params.storeId)).replayParked(params);
  }

  async reset(params: ResetSubscriptionParams): Promise<void> {
    await (await this.#of(params.storeId)).reset(params);
  }

  stats(): readonly SubscriptionStats[] {
    return [...this.#open.values()].flatMap((store) => store.stats());
  }

  problems(): readonly { readonly storeId: string; readonly message: string }[] {
    return [...this.#open.entries()].flatMap(([storeId, store]) =>
      store.problems().map((message) => ({ storeId, message })),
    );
  }

  async release(storeId: string): Promise<void> {
    const open = this.#open.get(storeId);
    this.#open.delete(storeId);
    await open?.close(new GaterError('unavailable', `the store ${JSON.stringify(storeId)} has left`));
  }

  async close(): Promise<void> {
    this.#closed = true;
    const open = [...this.#open.values()];
    this.#open.clear();
    const error = new GaterError('unavailable', 'the subscriptions are closed');
    await Promise.all(open.map((store) => store.close(error)));
  }

  async #of(storeId: string): Promise<StoreSubscriptions> {
    if (this.#closed) throw new GaterError('unavailable', 'the subscriptions are closed');
    const store = await this.#find(storeId);
    let open = this.#open.get(storeId);
    if (open !== undefined && open.store !== store) {
      // Another database has taken the place of the store.
      await this.release(storeId);
      open = this.#open.get(storeId);
    }
    if (open === undefined) {
      const { maxPerMaker = 500, maxPerStore = 2_000, pollMs } = this.#options;
      open = new StoreSubscriptions(
        store,
        { budget: this.#budget, clock: this.#clock, logger: this.#logger },
        { maxPerMaker, maxPerStore, ...(pollMs === undefined ? {} : { pollMs }) },
      );
      this.#open.set(storeId, open);
    }
    return open;
  }
}

/** @throws `store_not_found`, `not_supported` */
function localStore(stores: readonly EventStore[], storeId: string): SubscribedStore {
  const store = stores.find((one) => one.storeId === storeId);
  if (store === undefined) {
    throw new GaterError('store_not_found', `the store ${JSON.stringify(storeId)} does not exist`);
  }
  const { subscriptionState } = store;
  if (subscriptionState === undefined) throw notSupported('persistent subscriptions', storeId);
  return store as SubscribedStore;
}
