import { isServedBy, METHOD_NAMES, type MethodName } from '@esdb-gater/protocol';
import {
  countLiveWorkers,
  describeCluster,
  type StoreCaller,
  type StoreCallMethod,
} from '@esdb-gater/registry';
import type { Channels, GetStreamsParams, MemberInfo, Registry, Subscriptions } from '@esdb-gater/types';
import type { Authorizer } from '../access/authorizer.ts';
import type { Call } from '../access/caller.ts';
import type { Revocations } from '../access/revocations.ts';
import { senderOf } from '../access/sender-limiter.ts';
import type { ConnectionMethod, Handler } from './dispatcher.ts';
import type { HealthMonitor } from './health.ts';
import { listVisibleStreams } from './list-streams.ts';

export interface HandlerComponents {
  readonly stores: StoreCaller;
  readonly channels: Channels;
  readonly subscriptions: Subscriptions;
  readonly registry: Registry;
  readonly health: HealthMonitor;
  readonly authorizer: Authorizer;
  readonly revocations: Revocations;
  /** The live nodes, this one first. */
  readonly members: () => readonly MemberInfo[];
}

type HandlersOf<M extends MethodName> = { readonly [K in M]: Handler<K> };

/** What the gateway serves for whoever calls. */
export function createHandlers(
  components: HandlerComponents,
): HandlersOf<Exclude<MethodName, ConnectionMethod>> {
  const { stores, channels, subscriptions, registry, health, authorizer, revocations } = components;
  return {
    ...storeHandlers(stores),
    getStreams(params, call) {
      const { storeId } = params;
      const ask = (one: GetStreamsParams) => stores.call('getStreams', one, contextOf(call));
      const wholeStore = { action: 'stream/read', target: { kind: 'store', storeId } } as const;
      if (authorizer.isVisible(wholeStore, call)) return ask(params);
      return listVisibleStreams(ask, params, {
        ranges: authorizer.visibleRanges(wholeStore, call),
        isVisible: (streamId) =>
          authorizer.isVisible(
            { action: 'stream/read', target: { kind: 'stream', storeId, streamId } },
            call,
          ),
      });
    },
    async removeSubscription(params) {
      return { removed: await subscriptions.remove(params) };
    },
    async getSubscriptions({ storeId }, call) {
      const all = await subscriptions.list(storeId);
      const isVisible = ({ name }: { readonly name: string }): boolean =>
        authorizer.isVisible(
          { action: 'subscription/list', target: { kind: 'subscription', storeId, name } },
          call,
        );
      return { subscriptions: all.filter(isVisible) };
    },
    async listParked(params, call) {
      const page = await subscriptions.listParked(params);
      const { storeId } = params;
      // Whoever may use a subscription need not be allowed to read every stream that it selects from.
      const events = page.events.filter(({ event: { streamId } }) =>
        authorizer.isVisible({ action: 'stream/read', target: { kind: 'stream', storeId, streamId } }, call),
      );
      return { ...page, events };
    },
    async replayParked(params) {
      return { count: await subscriptions.replayParked(params) };
    },
    async resetSubscription(params) {
      await subscriptions.reset(params);
      return {};
    },
    health: () => health.health(),
    clusterInfo(_params, call) {
      const retriesLeft = (storeId: string) => stores.retriesLeft(storeId);
      const info = describeCluster(registry, { members: components.members(), retriesLeft });
      const isVisible = ({ storeId }: { readonly storeId: string }): boolean =>
        authorizer.seesStore(storeId, call);
      return { ...info, workers: info.workers.filter(isVisible), stores: info.stores.filter(isVisible) };
    },
    quickHealthCheck: ({ storeId }) => countLiveWorkers(registry, storeId),
    publish: (params, call) => channels.publish(params, publishContext(call)),
    channelInfo: (_params, call) => ({
      channels: authorizer.visibleChannels(channels.channelInfo(), call),
    }),
    revokeToken: (params, { caller }) => revocations.publish(params, senderOf(caller.address)),
  };
}

/** One handler like another for every method that the workers of a store answer. */
function storeHandlers(stores: StoreCaller): HandlersOf<StoreCallMethod> {
  const ask =
    <M extends StoreCallMethod>(method: M): Handler<M> =>
    (params, call) =>
      stores.call(method, params, contextOf(call, true));
  const handlers = METHOD_NAMES.filter((method) => isServedBy(method, 'store')).map(
    (method) => [method, ask(method)] as const,
  );
  return Object.fromEntries(handlers) as unknown as HandlersOf<StoreCallMethod>;
}

/** @param asJson the answer is passed on as JSON, whatever is in it */
function contextOf({ signal, traceparent, tracestate }: Call, asJson = false) {
  return {
    asJson,
    ...(signal === undefined ? {} : { signal }),
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(tracestate === undefined ? {} : { tracestate }),
  };
}

/** Whose rate a message counts to: the audience of the token in force, else the address. Never the connection. */
function publishContext({ caller, grant, traceparent, tracestate }: Call) {
  return {
    publisher: grant?.audience ?? caller.address,
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(tracestate === undefined ? {} : { tracestate }),
  };
}
