import type { CallContext, EventStore, StoreMethod, StoreParamsOf, StoreResultOf } from '@esdb-gater/types';

/** A method of the wire that `EventStore` has under the same name. */
type OwnMethod = StoreMethod & keyof EventStore;

type StoreCall<M extends StoreMethod> = (
  store: EventStore,
  params: StoreParamsOf<M>,
  context?: CallContext,
) => Promise<StoreResultOf<M>>;

const CALLS: { readonly [M in OwnMethod]: StoreCall<M> } = {
  appendEvents: (store, params, context) => store.appendEvents(params, context),
  getEvents: (store, params, context) => store.getEvents(params, context),
  getVersion: (store, params, context) => store.getVersion(params, context),
  streamExists: (store, params, context) => store.streamExists(params, context),
  getStreams: (store, params, context) => store.getStreams(params, context),
  deleteStream: (store, params, context) => store.deleteStream(params, context),
  readAll: (store, params, context) => store.readAll(params, context),
  recordSnapshot: (store, params, context) => store.recordSnapshot(params, context),
  readSnapshot: (store, params, context) => store.readSnapshot(params, context),
  listSnapshots: (store, params, context) => store.listSnapshots(params, context),
  deleteSnapshot: (store, params, context) => store.deleteSnapshot(params, context),
  quickHealthCheck: (store, _params, context) => store.quickHealthCheck(context),
};

/** The methods of `EventStore` that can be called by name, which the stores of this project serve. */
export const STORE_METHODS: readonly string[] = Object.freeze(Object.keys(CALLS));

/** The same by any name of the wire, of which some are not methods of `EventStore`. */
const BY_NAME: { readonly [M in StoreMethod]?: StoreCall<M> } = CALLS;

/** What calls a method of a store by its name; undefined for what is not a method of `EventStore`. */
export function storeCall<M extends StoreMethod>(method: M): StoreCall<M> | undefined {
  // `constructor` and `__proto__` are method names like any other unknown one.
  return Object.hasOwn(BY_NAME, method) ? BY_NAME[method] : undefined;
}
