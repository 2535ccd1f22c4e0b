import { waitFor } from '@esdb-gater/primitives';
import {
  type FollowEventsParams,
  type HealthResult,
  isMethodName,
  isServedBy,
  type MethodName,
  type ParamsOf,
  prepareParams,
  type ResultOf,
  type SaveSubscriptionParams,
  unknownMethod,
  validateParams,
} from '@esdb-gater/protocol';
import {
  countLiveWorkers,
  createStoreCaller,
  describeCluster,
  overallHealth,
  probeStores,
  type StoreCaller,
  type StoreCallerOptions,
} from '@esdb-gater/registry';
import type { RetryPolicyOptions } from '@esdb-gater/retry';
import {
  type Channels,
  type Clock,
  GaterError,
  type NewEvent,
  type Registry,
  type StoreWorker,
  type Subscriptions,
  systemClock,
} from '@esdb-gater/types';
import type { EventSchema } from '../events/event-schema.ts';
import { withSchema } from '../events/with-schema.ts';
import { createFacade } from '../facade.ts';
import type { AllEventsParams, AnyEvent, CallOptions, EventsParams, Gater } from '../gater.ts';
import { inStore } from '../in-store.ts';
import { storeEvents, streamEvents } from '../paging.ts';
import { SubscriptionPool } from '../subscriptions/subscription-pool.ts';
import { createLocalConnection } from './local-connection.ts';
import { createLocalFollows } from './local-follows.ts';
import { LocalPersistent } from './local-persistent.ts';

export interface GaterComponents {
  readonly registry: Registry;
  /** Without channels, `publish`, `subscribe` and `channelInfo` fail with `not_supported`. */
  readonly channels?: Channels;
  /** Without them the methods of persistent subscriptions fail with `not_supported`. */
  readonly subscriptions?: Subscriptions;
  readonly clock?: Clock;
  /** Returns a number from 0 (inclusive) to 1 (exclusive). @default Math.random */
  readonly random?: () => number;
}

export interface GaterOptions {
  readonly retry?: StoreCallerOptions;
  /** The name of this process in the result of `health`. */
  readonly nodeId?: string;
  /** The store of calls that name none. @default none: each call names its store */
  readonly storeId?: string;
  /** Is called once by `close`, after subscriptions have ended: closes what the `Gater` was composed of. */
  readonly onClose?: () => Promise<void>;
  /** Largest event or message, in bytes of JSON. @default 1 MiB */
  readonly messageBytes?: number;
}

/** A `Gater` that runs in this process and also gives access to its workers. */
export interface LocalGater<E extends AnyEvent = NewEvent, A extends AnyEvent = E> extends Gater<E, A> {
  /**
   * Runs `fn` with a worker of the store, and again with the next one while it fails with a retriable error.
   * `fn` must therefore be safe to repeat.
   */
  execute<T>(
    storeId: string,
    fn: (worker: StoreWorker) => T | PromiseLike<T>,
    policy?: RetryPolicyOptions,
  ): Promise<T>;
  withEvents<F extends AnyEvent>(): LocalGater<F>;
  withEvents<F extends AnyEvent, B extends AnyEvent>(schema: EventSchema<F, B>): LocalGater<F, B>;
}

/** What all calls of one `Gater` share. */
interface Parts {
  readonly registry: Registry;
  readonly channels: Channels | undefined;
  readonly stores: StoreCaller;
  readonly subscriptions: SubscriptionPool | undefined;
  readonly persistent: PersistentParts | undefined;
  readonly options: GaterOptions;
}

interface PersistentParts {
  readonly all: Subscriptions;
  /** Those that this `Gater` has joined. */
  readonly joined: LocalPersistent;
}

function noChannels(method: string): GaterError {
  return new GaterError('not_supported', `${method} needs channels, but this Gater was created without them`);
}

function persistentOf({ persistent }: Parts, method: string): PersistentParts {
  if (persistent !== undefined) return persistent;
  throw new GaterError(
    'not_supported',
    `${method} needs subscriptions, but this Gater was created without them`,
  );
}

/** The methods that are served in process besides those of the stores. */
const LOCAL: {
  readonly [M in MethodName]?: (
    parts: Parts,
    params: ParamsOf<M>,
    options: CallOptions,
  ) => Promise<ResultOf<M>>;
} = {
  async publish({ channels }, params, options) {
    if (channels === undefined) throw noChannels('publish');
    return channels.publish(params, options);
  },
  async channelInfo({ channels }) {
    if (channels === undefined) throw noChannels('channelInfo');
    return { channels: channels.channelInfo() };
  },
  async unsubscribe({ subscriptions }, params) {
    if (subscriptions === undefined) throw noChannels('unsubscribe');
    return { removed: await subscriptions.unsubscribe(params) };
  },
  async leaveSubscription(parts, params) {
    return { left: persistentOf(parts, 'leaveSubscription').joined.leave(params) };
  },
  async ackEvent(parts, params) {
    const consumer = await persistentOf(parts, 'ackEvent').joined.consumer(params);
    return { checkpoint: await consumer.ack(params) };
  },
  async nackEvent(parts, { storeId, name, ...params }) {
    const consumer = await persistentOf(parts, 'nackEvent').joined.consumer({ storeId, name });
    return { checkpoint: await consumer.nack(params) };
  },
  async removeSubscription(parts, params) {
    return { removed: await persistentOf(parts, 'removeSubscription').all.remove(params) };
  },
  async getSubscriptions(parts, { storeId }) {
    return { subscriptions: await persistentOf(parts, 'getSubscriptions').all.list(storeId) };
  },
  async listParked(parts, params) {
    return persistentOf(parts, 'listParked').all.listParked(params);
  },
  async replayParked(parts, params) {
    return { count: await persistentOf(parts, 'replayParked').all.replayParked(params) };
  },
  async resetSubscription(parts, params) {
    await persistentOf(parts, 'resetSubscription').all.reset(params);
    return {};
  },
  health: ({ registry, options }) => processHealth(registry, options.nodeId),
  async clusterInfo({ registry, options }) {
    const { nodeId = 'process' } = options;
    const self = { nodeId, url: '', status: 'alive', incarnation: 0, self: true } as const;
    return describeCluster(registry, { members: [self] });
  },
  quickHealthCheck: ({ registry }, { storeId }) => countLiveWorkers(registry, storeId),
};

/** Returns the health of a process without a gateway, which is the health of its stores. */
async function processHealth(registry: Registry, nodeId: string | undefined): Promise<HealthResult> {
  const stores = await probeStores(registry);
  const status = overallHealth(stores);
  return { status, ...stores, nodes: nodeId === undefined ? [] : [{ nodeId, url: '', status }] };
}

function call<M extends MethodName>(
  parts: Parts,
  method: M,
  given: unknown,
  options: CallOptions,
): Promise<ResultOf<M>> {
  if (!isMethodName(method)) throw unknownMethod(method);
  if (isServedBy(method, 'store')) {
    const { timeoutMs, ...rest } = options;
    const bounds = timeoutMs === undefined ? rest : { ...rest, deadlineMs: timeoutMs };
    return parts.stores.call(method, paramsOf(method, given, parts), bounds);
  }
  const params = paramsOf(method, given, parts);
  const serve = LOCAL[method];
  if (serve === undefined) throw new GaterError('not_supported', `${method} is served by gateways only`);
  return serve(parts, params, options);
}

function paramsOf<M extends MethodName>(method: M, given: unknown, { options }: Parts): ParamsOf<M> {
  const { messageBytes } = options;
  return prepareParams(
    method,
    validateParams(method, given),
    messageBytes === undefined ? {} : { messageBytes },
  );
}

/**
 * Creates a `Gater` that runs in this process. It calls stores through the registry, with the retries of a
 * gateway, and uses the channels that are passed in. It checks no permissions: the code that runs it may call
 * everything.
 *
 * @throws `invalid_argument` for an invalid option
 */
export function createGater<E extends AnyEvent = NewEvent>(
  components: GaterComponents,
  options: GaterOptions = {},
): LocalGater<E> {
  const { registry, channels, clock = systemClock } = components;
  const stores = createStoreCaller(components, options.retry);
  const subscriptions =
    channels === undefined
      ? undefined
      : new SubscriptionPool(createLocalConnection(channels, clock), (onEmpty) =>
          createLocalConnection(channels, clock, onEmpty),
        );
  const persistent = components.subscriptions && {
    all: components.subscriptions,
    joined: new LocalPersistent(components.subscriptions),
  };
  const parts: Parts = { registry, channels, stores, subscriptions, persistent, options };
  let closed = false;

  async function callMethod<M extends MethodName>(
    method: M,
    params: ParamsOf<M>,
    callOptions: CallOptions = {},
  ): Promise<ResultOf<M>> {
    if (closed) throw new GaterError('unavailable', 'the Gater is closed');
    callOptions.signal?.throwIfAborted();
    const { signal, timeoutMs } = callOptions;
    return waitFor(call(parts, method, params, callOptions), { signal, timeoutMs, clock });
  }

  const follows = createLocalFollows({ registry, clock }, callMethod);

  let closing: Promise<void> | undefined;
  async function close(): Promise<void> {
    closed = true;
    follows.close();
    persistent?.joined.close();
    await subscriptions?.close();
    await onClose?.();
  }

  const { storeId, onClose } = options;
  const gater: LocalGater = {
    ...createFacade(callMethod, storeId),
    ...(storeId === undefined ? {} : { storeId }),
    events: (params, callOptions) =>
      streamEvents(callMethod, inStore<EventsParams>(params, storeId), callOptions),
    allEvents: (params, callOptions) =>
      storeEvents(callMethod, inStore<AllEventsParams>(params, storeId), callOptions),
    follow: (params, followOptions) =>
      follows.open(inStore<FollowEventsParams>(params, storeId), followOptions),
    async subscribe(params, subscribeOptions = {}) {
      if (closed) throw new GaterError('unavailable', 'the Gater is closed');
      const valid = validateParams('subscribe', params);
      if (subscriptions === undefined) throw noChannels('subscribe');
      return subscriptions.subscribe(valid, subscribeOptions);
    },
    async saveSubscription(params, callOptions = {}) {
      if (closed) throw new GaterError('unavailable', 'the Gater is closed');
      const valid = paramsOf('saveSubscription', inStore<SaveSubscriptionParams>(params, storeId), parts);
      return persistentOf(parts, 'saveSubscription').joined.join(valid, callOptions);
    },
    execute: (storeId, fn, policy) => stores.execute(storeId, fn, policy),
    withEvents: <F extends AnyEvent, B extends AnyEvent>(schema?: EventSchema<F, B>) =>
      (schema === undefined ? gater : withSchema(gater, schema)) as unknown as LocalGater<F, B>,
    close() {
      closing ??= close();
      return closing;
    },
    [Symbol.asyncDispose]: () => gater.close(),
  };
  return gater.withEvents<E>();
}
