import type { CallContext } from './event-store.ts';
import type { StoreMethod, StoreParamsOf, StoreResultOf } from './store-methods.ts';

/** Who serves a store. */
export interface WorkerInfo {
  readonly storeId: string;
  /** Absent only for a remote worker that did not name it; then it is the store's only one. */
  readonly storeUuid?: string;
  readonly workerId: string;
  readonly nodeId: string;
  /** Increases with every start of the worker; a higher incarnation replaces a lower one. */
  readonly incarnation: number;
  /** Unix milliseconds. */
  readonly registeredAt: number;
}

/** A worker and the way to call it. */
export interface StoreWorker extends WorkerInfo {
  /** The method names that it serves. */
  readonly methods: readonly string[];
  /** True when its node keeps the persistent subscriptions of the store with its events. */
  readonly keepsSubscriptions?: boolean;
  /** The kind of store of a worker of this process, such as `sqlite`: its calls are then traced as database spans. */
  readonly system?: string;
  /**
   * True when `call` settles at `context.deadlineMs`, and at the abort of `context.signal`, whatever happens. Its callers then
   * need neither a timer nor a signal for that.
   */
  readonly endsInTime?: boolean;
  /**
   * Calls a method by its name.
   *
   * @throws a `GaterError`; `unavailable` when the worker is gone, `timeout` when `context.signal` aborted because of a
   * time limit
   */
  call<M extends StoreMethod>(
    method: M,
    params: StoreParamsOf<M>,
    context?: CallContext,
  ): Promise<StoreResultOf<M>>;
  /** Calls `listener` with the newest position after each commit, if the worker reports commits. */
  onCommitted?(listener: (position: number) => void): () => void;
}

/** A registered worker and how it is doing, as this node sees it. */
export interface WorkerState extends WorkerInfo {
  readonly methods: readonly string[];
  /** As in {@link StoreWorker}. */
  readonly keepsSubscriptions?: boolean;
  /** True while it gets calls. */
  readonly live: boolean;
  /** Failures in a row. */
  readonly failures: number;
  /** How long the ejection lasts that it is in; 0 while it is live. Then one probe asks whether it answers again. */
  readonly ejectedForMs: number;
  /** True while the one probe of an ejected worker waits for its answer. */
  readonly probing: boolean;
}

export interface RegistryEvent {
  /** `forgotten`: a store that waited for a worker was removed, and with it this last worker of it. */
  readonly kind: 'registered' | 'unregistered' | 'ejected' | 'restored' | 'forgotten';
  readonly worker: WorkerInfo;
}

/** The live workers of every store. */
export interface Registry {
  /**
   * Adds a worker. The same `workerId` of a store again is one entry: the higher incarnation wins.
   *
   * @throws `invalid_argument` (reason `store_mismatch`) when its `storeUuid` differs from that of the live ones
   */
  register(worker: StoreWorker): WorkerInfo;
  /**
   * Returns false when it was not registered. With `incarnation` only that incarnation is removed, so that closing an
   * old connection does not remove the worker that has registered again on a new one. A store that only workers
   * registered is removed with its last worker, unless that worker disconnected without unregistering (`orderly`
   * false): then the store waits for it.
   */
  unregister(storeId: string, workerId: string, incarnation?: number, orderly?: boolean): boolean;
  /** Makes a store known that is configured, before its first worker. */
  declare(storeId: string): void;
  /**
   * The next live worker, round robin. Its `call` reports back, so that one that fails is ejected.
   *
   * @throws `store_not_found` when the store was never known, `no_workers` when none is live,
   * `not_supported` when none serves `method`
   */
  pick(storeId: string, method?: StoreMethod): StoreWorker;
  /** The worker of that name, live or not; its `call` reports back like that of a picked one. */
  find(storeId: string, workerId: string): StoreWorker | undefined;
  /** All registered, ejected ones too; see `isLive`. */
  workers(storeId?: string): readonly WorkerInfo[];
  /** As `workers`, with the state of each. */
  states(storeId?: string): readonly WorkerState[];
  /** False while the worker is ejected. */
  isLive(storeId: string, workerId: string): boolean;
  /** The stores that are known, with workers or without. */
  stores(): readonly string[];
  /** Yields all changes from now on, until `signal` aborts. */
  watch(options?: { readonly signal?: AbortSignal }): AsyncIterable<RegistryEvent>;
  /** Asks every live worker of a store; resolves to how many answered, and ejects by the same rules. */
  probe(storeId: string, options?: { readonly timeoutMs?: number }): Promise<readonly WorkerInfo[]>;
  /** Stops probes and watchers. Workers are not closed. */
  close(): void;
}
