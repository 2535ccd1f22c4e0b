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
import { STORE_METHODS, storeCall } from './methods.ts';

export interface StoreWorkerOptions {
  /** The node that the worker runs on. */
  readonly nodeId: string;
  /** @default a random UUID */
  readonly workerId?: string;
  /** Grows with every life of the worker. @default the Unix time in milliseconds */
  readonly incarnation?: number;
  /** @default the platform's */
  readonly clock?: Clock;
}

/**
 * A worker that serves a store of this process. Only the methods that the store itself names are served, and only
 * those of the table: nothing else of the object can be called from outside.
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
