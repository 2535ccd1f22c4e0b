import { AsyncQueue, GenerationMap, invalidOption } from '@esdb-gater/primitives';
import { emit, hasHandlers } from '@esdb-gater/telemetry';
import {
  type Clock,
  GaterError,
  isName,
  isStoreId,
  type Logger,
  type Registry,
  type RegistryEvent,
  type StoreWorker,
  type WorkerInfo,
  type WorkerState,
} from '@esdb-gater/types';
import {
  type CompleteComponents,
  type CompleteOptions,
  completeComponents,
  completeOptions,
  type RegistryComponents,
  type RegistryOptions,
} from './options.ts';
import { RegisteredWorker } from './registered-worker.ts';
import { noWorkers, StoreWorkers } from './store-workers.ts';

/**
 * Maximum number of stores that are not configured and wait for a worker, because the connection of their last one
 * broke.
 */
const MAX_ABSENT_STORES = 100;

/** Events that wait for a watcher; one that is further behind has to read `workers()` and watch anew. */
const MAX_WAITING_EVENTS = 4_096;

/** Minimum number of removed stores whose names are remembered, so that calls to them fail with `no_workers`. */
const MAX_FORGOTTEN_STORES = 1_024;

const WORKER = { reason: 'worker' } as const;

/**
 * Makes a registry: the live workers of every store, round robin, ejection of those that fail.
 *
 * @throws `invalid_argument` (reason `registry_options`)
 */
export function createRegistry(components: RegistryComponents = {}, options: RegistryOptions = {}): Registry {
  return new WorkerRegistry(completeComponents(components), completeOptions(options));
}

class WorkerRegistry implements Registry {
  readonly #clock: Clock;
  readonly #random: (() => number) | undefined;
  readonly #logger: Logger;
  readonly #options: CompleteOptions;
  /** Every store that is declared or has a worker. */
  readonly #stores = new Map<string, StoreWorkers>();
  readonly #declared = new Set<string>();
  /**
   * The last worker of each store that nobody configured and whose workers all left without unregistering, the longest
   * absent first.
   */
  readonly #absent = new Map<string, RegisteredWorker>();
  /** Names of stores that were removed after their last worker had left. */
  readonly #forgotten = new GenerationMap<string, true>(MAX_FORGOTTEN_STORES);
  readonly #watchers = new Set<AsyncQueue<RegistryEvent>>();
  readonly #closing = new AbortController();

  constructor({ clock, logger, random }: CompleteComponents, options: CompleteOptions) {
    this.#clock = clock;
    this.#random = random;
    this.#logger = logger;
    this.#options = options;
  }

  register(worker: StoreWorker): WorkerInfo {
    check(worker);
    const store = this.#known(worker.storeId);
    const present = store.get(worker.workerId);
    if (present?.isOf(worker) === true) return present.info;
    if (present !== undefined && this.#precedes(present, worker)) return present.info;
    store.checkUuid(worker);
    if (present !== undefined && store.get(worker.workerId) === present) this.#remove(store, present);
    const registered = new RegisteredWorker(
      worker,
      {
        clock: this.#clock,
        closing: this.#closing.signal,
        hasOthers: (self) => store.live().some((other) => other !== self),
        changed: (self) => this.#healthChanged(store, self),
      },
      this.#options,
    );
    store.set(registered);
    const { storeId, nodeId, workerId } = registered;
    this.#tell('registered', registered);
    if (hasHandlers()) {
      const metadata = { store_id: storeId, node: nodeId, pid: workerId };
      emit('esdb_gater.worker.registered', { system_time: this.#clock.now() }, metadata);
    }
    return registered.info;
  }

  unregister(storeId: string, workerId: string, incarnation?: number, orderly = true): boolean {
    const store = this.#stores.get(storeId);
    const present = store?.get(workerId);
    if (store === undefined || present === undefined) return false;
    if (incarnation !== undefined && incarnation !== present.incarnation) return false;
    this.#remove(store, present);
    if (store.isEmpty() && !this.#declared.has(storeId)) {
      if (orderly) this.#forget(storeId);
      else this.#expect(present);
    }
    return true;
  }

  #isLocal({ nodeId }: WorkerInfo): boolean {
    return nodeId === this.#options.nodeId;
  }

  /** Returns true when a registered worker stays, although one with its id comes. */
  #precedes(present: RegisteredWorker, worker: StoreWorker): boolean {
    if (this.#options.nodeId !== undefined && present.nodeId !== worker.nodeId) {
      // One program that registered with two nodes. Each node makes its incarnations by its own clock, so they say
      // nothing about one another: the way without another node is the shorter one.
      return !this.#isLocal(worker);
    }
    if (present.incarnation <= worker.incarnation) return false;
    this.#logger.warn({ worker: present.info }, 'ignored a stale worker incarnation');
    return true;
  }

  #forget(storeId: string): void {
    this.#absent.delete(storeId);
    this.#stores.delete(storeId);
    this.#forgotten.set(storeId, true);
  }

  /** Keeps the store of a last worker that left without unregistering. Beyond the limit the oldest such store is removed. */
  #expect(last: RegisteredWorker): void {
    this.#absent.delete(last.storeId);
    this.#absent.set(last.storeId, last);
    for (const [oldest, worker] of this.#absent) {
      if (this.#absent.size <= MAX_ABSENT_STORES) break;
      if (this.#stores.get(oldest)?.isEmpty() === true) {
        this.#forget(oldest);
        this.#tell('forgotten', worker);
      } else this.#absent.delete(oldest);
    }
  }

  declare(storeId: string): void {
    checkStoreId(storeId);
    this.#declared.add(storeId);
    this.#known(storeId);
  }

  pick(storeId: string, method?: string): StoreWorker {
    if (!hasHandlers()) return this.#pick(storeId, method);
    const start = this.#clock.monotonic();
    const worker = this.#pick(storeId, method);
    emit('esdb_gater.worker.lookup', { duration: this.#clock.monotonic() - start }, { store_id: storeId });
    return worker;
  }

  find(storeId: string, workerId: string): StoreWorker | undefined {
    return this.#stores.get(storeId)?.get(workerId);
  }

  workers(storeId?: string): readonly WorkerInfo[] {
    return this.#all(storeId).map(({ info }) => info);
  }

  states(storeId?: string): readonly WorkerState[] {
    return this.#all(storeId).map(({ state }) => state);
  }

  isLive(storeId: string, workerId: string): boolean {
    return this.#stores.get(storeId)?.get(workerId)?.live === true;
  }

  stores(): readonly string[] {
    return [...this.#stores.keys()];
  }

  watch(options: { readonly signal?: AbortSignal } = {}): AsyncIterableIterator<RegistryEvent, undefined> {
    // The queue collects before the first `next`, so that no event between the call and the loop is lost.
    const watcher = new AsyncQueue<RegistryEvent>({
      signal: options.signal,
      maxItems: MAX_WAITING_EVENTS,
      overflowError: () => new GaterError('overloaded', `a watcher is ${MAX_WAITING_EVENTS} events behind`),
      onEnd: (ended) => this.#watchers.delete(ended),
    });
    if (this.#closing.signal.aborted) watcher.end();
    if (!watcher.ended) this.#watchers.add(watcher);
    return watcher;
  }

  async probe(
    storeId: string,
    options: { readonly timeoutMs?: number } = {},
  ): Promise<readonly WorkerInfo[]> {
    const live = this.#find(storeId).live();
    const timeoutMs = options.timeoutMs ?? this.#options.probeTimeoutMs;
    const answered = await Promise.all(live.map((worker) => worker.check(timeoutMs)));
    return live.filter((_, index) => answered[index] === true).map(({ info }) => info);
  }

  close(): void {
    this.#closing.abort(new GaterError('unavailable', 'the registry is closed'));
    for (const store of this.#stores.values()) for (const worker of store.all()) worker.stop();
    for (const watcher of this.#watchers) watcher.end();
  }

  #all(storeId: string | undefined): RegisteredWorker[] {
    const stores = storeId === undefined ? [...this.#stores.values()] : [this.#stores.get(storeId)];
    return stores.flatMap((store) => (store === undefined ? [] : [...store.all()]));
  }

  #pick(storeId: string, method: string | undefined): RegisteredWorker {
    return this.#find(storeId).next(method);
  }

  #find(storeId: string): StoreWorkers {
    const store = this.#stores.get(storeId);
    if (store !== undefined) return store;
    if (this.#forgotten.get(storeId) === true) throw noWorkers(storeId);
    throw new GaterError('store_not_found', `store ${JSON.stringify(storeId)} is not known here`, {
      details: { storeId },
    });
  }

  #known(storeId: string): StoreWorkers {
    let store = this.#stores.get(storeId);
    if (store === undefined) {
      store = new StoreWorkers(storeId, this.#options, this.#firstTurn());
      this.#stores.set(storeId, store);
    }
    return store;
  }

  /** With a random first turn, nodes that start together do not all begin with the same worker. */
  #firstTurn(): number {
    return this.#random === undefined ? 0 : Math.floor(this.#random() * 0x10_0000);
  }

  #remove(store: StoreWorkers, worker: RegisteredWorker): void {
    worker.fence();
    store.delete(worker.workerId);
    this.#tell('unregistered', worker);
    if (!hasHandlers()) return;
    const metadata = { store_id: worker.storeId, pid: worker.workerId };
    emit('esdb_gater.worker.unregistered', { system_time: this.#clock.now() }, metadata);
  }

  #healthChanged(store: StoreWorkers, worker: RegisteredWorker): void {
    store.changed();
    if (worker.live) this.#logger.info({ worker: worker.info }, 'a worker answers again');
    else this.#logger.warn({ worker: worker.info }, 'a worker failed too often and was ejected');
    this.#tell(worker.live ? 'restored' : 'ejected', worker);
  }

  #tell(kind: RegistryEvent['kind'], { info }: RegisteredWorker): void {
    if (this.#watchers.size === 0) return;
    const event: RegistryEvent = Object.freeze({ kind, worker: info });
    for (const watcher of this.#watchers) watcher.put(event);
  }
}

function check({ storeId, workerId, nodeId, incarnation, call }: StoreWorker): void {
  checkStoreId(storeId);
  if (!isName(workerId)) throw invalidOption('workerId', workerId, '1 to 255 characters', WORKER);
  if (!isName(nodeId)) throw invalidOption('nodeId', nodeId, '1 to 255 characters', WORKER);
  if (!Number.isSafeInteger(incarnation)) {
    throw invalidOption('incarnation', incarnation, 'an integer', WORKER);
  }
  if (typeof call !== 'function') throw invalidOption('call', call, 'a function', WORKER);
}

function checkStoreId(storeId: string): void {
  if (!isStoreId(storeId)) throw invalidOption('storeId', storeId, '1 to 64 of A-Z a-z 0-9 _ -', WORKER);
}
