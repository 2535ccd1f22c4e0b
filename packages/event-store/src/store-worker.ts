import {
  type CallContext,
  type Clock,
  type EventStore,
  GaterError,
  invalidArgument,
  type StoreMethod,
  type StoreParamsOf,
  type StoreResultOf,
  type StoreWorker,
  systemClock,
} from '@esdb-gater/types';
import { notSupported } from './errors.ts';

export interface StoreWorkerOptions {
  /** The node that the worker runs on. */
  readonly nodeId: string;
  /** @default a random UUID */
  readonly workerId?: string;
  /** What keeps the events, such as `sqlite`, for OpenTelemetry spans. @default none: its calls are not spans */
  readonly system?: string;
  /** Grows each time the worker starts. @default the Unix time in milliseconds */
  readonly incarnation?: number;
  /** @default the system clock */
  readonly clock?: Clock;
}

/** A wire method that `EventStore` has under the same name. */
type OwnMethod = StoreMethod & keyof EventStore;

type StoreCall<M extends StoreMethod> = (
  store: EventStore,
  params: StoreParamsOf<M>,
  context?: CallContext,
) => Promise<StoreResultOf<M>>;

const CALLS: { readonly [M in OwnMethod]: StoreCall<M> } = {
  appendEvents: (store, params, context) => store.appendEvents(params, context),
  appendToStreams: (store, params, context) => store.appendToStreams(params, context),
  getEvents: (store, params, context) => store.getEvents(params, context),
  getVersion: (store, params, context) => store.getVersion(params, context),
  versionAt: (store, params, context) => store.versionAt(params, context),
  verifyStream: (store, params, context) => store.verifyStream(params, context),
  streamExists: (store, params, context) => store.streamExists(params, context),
  getStreams: (store, params, context) => store.getStreams(params, context),
  deleteStream: (store, params, context) => store.deleteStream(params, context),
  readAll: (store, params, context) => store.readAll(params, context),
  queryEvents: (store, params, context) => store.queryEvents(params, context),
  recordSnapshot: (store, params, context) => store.recordSnapshot(params, context),
  readSnapshot: (store, params, context) => store.readSnapshot(params, context),
  listSnapshots: (store, params, context) => store.listSnapshots(params, context),
  deleteSnapshot: (store, params, context) => store.deleteSnapshot(params, context),
  quickHealthCheck: (store, _params, context) => store.quickHealthCheck(context),
};

/** The methods of `EventStore` that can be called by name. The stores of this project serve all of them when they are tamper-evident. */
export const STORE_METHODS: readonly string[] = Object.freeze(Object.keys(CALLS));

/** Returns the methods that a store of this project serves. */
export function storeMethods(tamperEvident: boolean): readonly string[] {
  return tamperEvident ? STORE_METHODS : STORE_METHODS.filter((method) => method !== 'verifyStream');
}

/** `CALLS` by any wire method; some of those are not methods of `EventStore`. */
const BY_NAME: { readonly [M in StoreMethod]?: StoreCall<M> } = CALLS;

/** Returns the function that calls a store's method; undefined for what is not a method of `EventStore`. */
function storeCall<M extends StoreMethod>(method: M): StoreCall<M> | undefined {
  // hasOwn, because `constructor` and `__proto__` are unknown methods like any other.
  return Object.hasOwn(BY_NAME, method) ? BY_NAME[method] : undefined;
}

/**
 * Creates a worker that serves a store of this process. It serves only methods that are both named by the store and in
 * the table, so nothing else of the object can be called from outside.
 */
export function createStoreWorker(store: EventStore, options: StoreWorkerOptions): StoreWorker {
  const clock = options.clock ?? systemClock;
  const served: ReadonlySet<string> = new Set(STORE_METHODS.filter((name) => store.methods.includes(name)));
  return Object.freeze({
    storeId: store.storeId,
    storeUuid: store.storeUuid,
    workerId: options.workerId ?? crypto.randomUUID(),
    nodeId: options.nodeId,
    incarnation: options.incarnation ?? clock.now(),
    registeredAt: clock.now(),
    methods: Object.freeze([...served]),
    ...(options.system === undefined ? {} : { system: options.system }),
    async call<M extends StoreMethod>(
      method: M,
      params: StoreParamsOf<M>,
      context?: CallContext,
    ): Promise<StoreResultOf<M>> {
      const run = served.has(method) ? storeCall(method) : undefined;
      if (run === undefined) throw notSupported(`the method ${JSON.stringify(method)}`, store.storeId);
      if (typeof params !== 'object' || params === null) {
        throw invalidArgument('params', `the parameters of ${method} must be an object`);
      }
      try {
        return await run(store, params, context);
      } catch (error) {
        throw GaterError.from(error);
      }
    },
    onCommitted: (listener: (position: number) => void) => store.onCommitted(listener),
  });
}
