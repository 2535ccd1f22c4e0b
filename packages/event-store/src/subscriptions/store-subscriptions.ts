import {
  type GaterError,
  type JoinedConsumer,
  LIMITS,
  type ListParkedParams,
  type NewSubscription,
  type ParkedPage,
  type RemoveSubscriptionParams,
  type ReplayParkedParams,
  type ResetSubscriptionParams,
  type SaveSubscriptionParams,
  type StorePoint,
  type Subscription,
  type SubscriptionConsumer,
  type SubscriptionRecord,
  type SubscriptionStats,
} from '@esdb-gater/types';
import { jsonEqual } from '../json-equal.ts';
import { resolveCount } from '../pages.ts';
import { StoreHistory } from '../tail/store-history.ts';
import { createStoreTail, type StoreTail } from '../tail/store-tail.ts';
import { subscriptionMismatch, subscriptionNotFound, tooManySubscriptions } from './errors.ts';
import { loadParked } from './parked-events.ts';
import { type RunningComponents, RunningSubscription } from './running-subscription.ts';
import { compileSelector } from './selector.ts';
import type { SubscribedStore } from './subscribed-store.ts';

export interface StoreSubscriptionsOptions {
  /** How often a store without `onCommitted` is asked. */
  readonly pollMs?: number;
  readonly maxPerMaker: number;
  readonly maxPerStore: number;
}

const DEFAULTS = { startFrom: 0, maxInFlight: 100, ackTimeoutMs: 30_000, maxRetries: 10 } as const;

/** The persistent subscriptions of one store. */
export class StoreSubscriptions {
  readonly store: SubscribedStore;
  readonly #components: Omit<RunningComponents, 'store' | 'tail'>;
  readonly #options: StoreSubscriptionsOptions;
  readonly #tail: StoreTail;
  readonly #history: StoreHistory;
  readonly #running = new Map<string, RunningSubscription>();
  /** Of subscriptions that were removed: what counts never decreases. */
  #formerRetries = 0;
  /** Changes come one after the other. */
  #changes: Promise<unknown> = Promise.resolve();

  constructor(
    store: SubscribedStore,
    components: Omit<RunningComponents, 'store' | 'tail'>,
    options: StoreSubscriptionsOptions,
  ) {
    this.store = store;
    this.#components = components;
    this.#options = options;
    const { clock, logger } = components;
    const { pollMs } = options;
    this.#tail = createStoreTail({ store, clock, logger }, pollMs === undefined ? {} : { pollMs });
    this.#history = new StoreHistory(store);
  }

  async save(params: SaveSubscriptionParams, maker: string): Promise<Subscription> {
    return this.#view((await this.#findOrCreate(params, maker)).record);
  }

  async join(
    params: SaveSubscriptionParams,
    consumer: SubscriptionConsumer,
    maker: string,
  ): Promise<JoinedConsumer> {
    const { record } = await this.#findOrCreate(params, maker);
    const view = await this.#view(record);
    return this.#change(async () => {
      // It may have been removed meanwhile.
      const running = await this.#find(record.name);
      return running.join(params, consumer, view);
    });
  }

  remove(params: RemoveSubscriptionParams): Promise<boolean> {
    return this.#change(async () => {
      const { name } = params;
      const record = await this.store.subscriptionState.load(name);
      if (record === undefined) return false;
      if (!isSame(record, params)) throw subscriptionMismatch(name);
      const running = this.#running.get(name);
      this.#running.delete(name);
      this.#formerRetries += running?.stats().retries ?? 0;
      await running?.close(subscriptionNotFound(this.store.storeId, name), true);
      return this.store.subscriptionState.remove(name);
    });
  }

  async list(): Promise<readonly Subscription[]> {
    const records = await this.store.subscriptionState.list();
    const newest = await this.#newest();
    return records.map((record) => this.#viewAt(record, newest));
  }

  async get(name: string): Promise<Subscription> {
    return this.#view(await this.#load(name));
  }

  async listParked(params: ListParkedParams): Promise<ParkedPage> {
    const { name, after = 0 } = params;
    const limit = resolveCount('limit', params.limit);
    await this.#load(name);
    const { subscriptionState } = this.store;
    const { records, more } = await subscriptionState.listParked(name, { replaying: false, after, limit });
    const events = [];
    let bytes = 0;
    let isCut = false;
    let last = after;
    for (const record of records) {
      if (bytes > LIMITS.pageBytes) {
        isCut = true;
        break;
      }
      last = record.position;
      const event = await loadParked(this.store, record);
      if (event === undefined) continue;
      bytes += JSON.stringify(event).length;
      const { reason, attempts, parkedMs } = record;
      events.push({ event, reason, attempts, parkedAt: new Date(parkedMs).toISOString() });
    }
    return { events, ...(more || isCut ? { next: last } : {}) };
  }

  async replayParked({ name, ids }: ReplayParkedParams): Promise<number> {
    await this.#load(name);
    const wanted = ids?.map((id) => id.toLowerCase());
    const count = await this.store.subscriptionState.markReplay(name, wanted);
    this.#running.get(name)?.replay(count);
    return count;
  }

  async reset({ name, startFrom }: ResetSubscriptionParams): Promise<void> {
    const point = await this.#startPoint(startFrom);
    await this.#change(async () => (await this.#find(name)).reset(startFrom, point));
  }

  stats(): readonly SubscriptionStats[] {
    const { storeId } = this.store;
    const retries = this.#formerRetries;
    const removed = {
      storeId,
      name: '',
      consumers: 0,
      lag: 0,
      parked: 0,
      inFlight: 0,
      oldestUnackedMs: 0,
      retries,
    };
    const running = [...this.#running.values()].map((one) => one.stats());
    return retries > 0 ? [...running, removed] : running;
  }

  problems(): readonly string[] {
    const problems = [...this.#running.values()].map((running) => running.problem());
    const found = problems.filter((problem) => problem !== undefined);
    const hasConsumers = [...this.#running.values()].some(({ consumers }) => consumers > 0);
    if (hasConsumers && this.#tail.trouble !== undefined) {
      found.unshift(`subscriptions are ${this.#tail.trouble}`);
    }
    return found;
  }

  async close(error: GaterError): Promise<void> {
    this.#tail.close();
    await this.#changes.catch(() => {});
    const running = [...this.#running.values()];
    this.#running.clear();
    await Promise.all(running.map((one) => one.close(error)));
  }

  /** Runs changes of the set of subscriptions one after the other. */
  #change<Result>(run: () => Promise<Result>): Promise<Result> {
    const result = this.#changes.then(run, run);
    this.#changes = result.catch(() => {});
    return result;
  }

  #findOrCreate(params: SaveSubscriptionParams, maker: string): Promise<RunningSubscription> {
    compileSelector(params.type, params.selector);
    return this.#change(async () => {
      const { subscriptionState } = this.store;
      const { name } = params;
      const known = this.#running.get(name)?.record ?? (await subscriptionState.load(name));
      if (known === undefined) {
        await this.#checkBounds(maker);
        const { startFrom, maxInFlight, ackTimeoutMs, maxRetries } = { ...DEFAULTS, ...params };
        const { type, selector } = params;
        const record: NewSubscription = {
          ...{ name, type, selector, startFrom, maxInFlight, ackTimeoutMs, maxRetries, maker },
          createdMs: this.#components.clock.now(),
          checkpoint: await this.#startPoint(startFrom),
        };
        await subscriptionState.create(record);
      } else if (!isSame(known, params)) throw subscriptionMismatch(name);
      return this.#find(name);
    });
  }

  /** Bounds what strangers may leave behind. */
  async #checkBounds(maker: string): Promise<void> {
    const { maxPerMaker, maxPerStore } = this.#options;
    const records = await this.store.subscriptionState.list();
    const own = records.filter((record) => record.maker === maker).length;
    if (own >= maxPerMaker) throw tooManySubscriptions(maxPerMaker);
    if (records.length >= maxPerStore) throw tooManySubscriptions(maxPerStore);
  }

  /** Resolves where a subscription starts, with the proof of the event there. */
  async #startPoint(startFrom: number | 'latest'): Promise<StorePoint> {
    const position = startFrom === 'latest' ? await this.#tail.newest() : startFrom;
    const { proof } = (await this.#history.prove({ position }, {})) ?? {};
    return { position, ...(proof === undefined ? {} : { proof }) };
  }

  /** Returns a subscription that exists, and opens it where it is not open. */
  async #find(name: string): Promise<RunningSubscription> {
    const open = this.#running.get(name);
    if (open !== undefined) return open;
    const record = await this.#load(name);
    const running = new RunningSubscription(
      { ...this.#components, store: this.store, tail: this.#tail },
      record,
    );
    await running.open();
    this.#running.set(name, running);
    return running;
  }

  /** @throws `subscription_not_found` */
  async #load(name: string): Promise<SubscriptionRecord> {
    const record = await this.store.subscriptionState.load(name);
    if (record === undefined) throw subscriptionNotFound(this.store.storeId, name);
    return record;
  }

  async #view(record: SubscriptionRecord): Promise<Subscription> {
    return this.#viewAt(record, await this.#newest());
  }

  #viewAt(record: SubscriptionRecord, newest: number): Subscription {
    const running = this.#running.get(record.name);
    if (running !== undefined) return running.view(newest, record.parked);
    const { name, type, selector, startFrom, checkpoint, parked, createdMs } = record;
    return {
      storeId: this.store.storeId,
      ...{ name, type, selector, startFrom },
      checkpoint: checkpoint.position,
      lag: Math.max(0, newest - checkpoint.position),
      parked,
      createdAt: new Date(createdMs).toISOString(),
      subscribers: 0,
    };
  }

  /** The newest position; of a store that does not answer, the newest that is known. */
  async #newest(): Promise<number> {
    return this.#tail.newest().catch(() => this.#tail.newestSeen);
  }
}

function isSame(record: NewSubscription, { type, selector }: RemoveSubscriptionParams): boolean {
  if (type !== undefined && type !== record.type) return false;
  return selector === undefined || jsonEqual(selector, record.selector);
}
