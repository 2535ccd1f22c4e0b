import {
  type AllEventsParams,
  type AnyEvent,
  type CallOptions,
  createFacade,
  type EventSchema,
  type EventsParams,
  type Gater,
  type InStore,
  inStore,
  type SubscriptionConnection,
  SubscriptionHub,
  SubscriptionPool,
  storeEvents,
  streamEvents,
  tracedMessage,
  withSchema,
} from '@esdb-gater/gater';
import { waitFor } from '@esdb-gater/primitives';
import type { FollowEventsParams, Hello, SaveSubscriptionParams } from '@esdb-gater/protocol';
import {
  type ChannelMessage,
  type DroppedNotice,
  GaterError,
  type NewEvent,
  type ReplayedNotice,
} from '@esdb-gater/types';
import { createPersistent } from '#persistent';
import { loadTracing } from '#tracing';
import {
  type Connection,
  cannotConnect,
  type OpenConnection,
  openConnection,
} from './connection/connection.ts';
import {
  type ConnectComponents,
  type ConnectionSettings,
  type ConnectOptions,
  resolveConnect,
} from './connection/options.ts';
import { retryingCalls } from './connection/retrying-calls.ts';
import { FollowHub } from './follow/follow-hub.ts';

/** A `Gater` over WebSocket. */
export interface RemoteGater<E extends AnyEvent = NewEvent, A extends AnyEvent = E> extends Gater<E, A> {
  /** The `hello` of the gateway on the last connection. */
  readonly hello: Hello;
  /** The connection, to serve a store through it or to listen to other notifications. */
  readonly connection: Connection;
  withEvents<F extends AnyEvent>(): RemoteGater<F>;
  withEvents<F extends AnyEvent, B extends AnyEvent>(schema: EventSchema<F, B>): RemoteGater<F, B>;
}

/** Creates the receiving side of subscriptions over a connection. */
function createSubscriptionConnection(
  connection: OpenConnection,
  settings: ConnectionSettings,
  onEmpty?: () => void,
): SubscriptionConnection {
  const { clock, random, policy, timeoutMs } = settings;
  const hub = new SubscriptionHub(
    {
      clock,
      random,
      ...(onEmpty === undefined ? {} : { onEmpty }),
      link: {
        subscribe: (params, { token, onResult }) =>
          connection.call('subscribe', token === undefined ? params : { ...params, token }, {
            onResult: (result) => onResult(result as Parameters<typeof onResult>[0]),
            timeoutMs,
            now: true,
          }),
        unsubscribe: async ({ channel, topic }) => {
          // A subscription ends with its connection.
          await connection.call('unsubscribe', { channel, topic }, { timeoutMs, now: true }).catch(() => {});
        },
      },
    },
    { policy },
  );
  connection.listen({
    connected: () => hub.connected(),
    disconnected: () => hub.disconnected(),
    failed: (error) => hub.close({ error }),
    notification: (method, params, frameUnits, trace) => {
      switch (method) {
        case 'message':
          hub.message(tracedMessage(params as ChannelMessage, trace), frameUnits);
          return true;
        case 'replayed':
          hub.replayed(params as ReplayedNotice);
          return true;
        case 'dropped':
          hub.dropped(params as DroppedNotice);
          return true;
        default:
          return false;
      }
    },
  });
  if (connection.connected) hub.connected();
  return { hub, close: () => connection.close() };
}

const FOLLOW_NOTICES: ReadonlySet<string> = new Set(['followed', 'caughtUp', 'fellBehind']);

/** Creates the receiving side of follows over a connection. */
function createFollowHub(connection: OpenConnection, settings: ConnectionSettings): FollowHub {
  const { clock, random, policy, timeoutMs } = settings;
  const hub = new FollowHub({
    clock,
    random,
    policy,
    link: {
      follow: (params, { token, onResult }) =>
        connection.call('followEvents', token === undefined ? params : { ...params, token }, {
          onResult: (result) => onResult((result as { readonly followId: string }).followId),
          timeoutMs,
          now: true,
        }),
      unfollow(followId) {
        // A follow ends with its connection.
        connection.call('unfollow', { followId }, { timeoutMs, now: true }).catch(() => {});
      },
    },
  });
  connection.listen({
    connected: () => hub.connected(),
    disconnected: () => hub.disconnected(),
    failed: (error) => hub.close({ error }),
    notification: (method, params, frameUnits) =>
      FOLLOW_NOTICES.has(method) && hub.notified(method, params, frameUnits),
  });
  if (connection.connected) hub.connected();
  return hub;
}

function createRemoteGater(connection: OpenConnection, settings: ConnectionSettings): RemoteGater {
  const subscriptions = new SubscriptionPool(createSubscriptionConnection(connection, settings), (onEmpty) =>
    createSubscriptionConnection(openConnection(settings), settings, onEmpty),
  );
  const overConnection = retryingCalls(connection, settings);
  let persistent: ReturnType<typeof createPersistent> | undefined;
  const follows = createFollowHub(connection, settings);

  const { storeId } = settings;
  const gater: RemoteGater = {
    ...createFacade(overConnection, storeId),
    ...(storeId === undefined ? {} : { storeId }),
    // The pool also ends the iterations of the subscriptions.
    unsubscribe: async (params) => ({ removed: await subscriptions.unsubscribe(params) }),
    connection,
    get hello(): Hello {
      if (connection.hello === undefined)
        throw new GaterError('unavailable', 'not connected to a gateway yet');
      return connection.hello;
    },
    events: (params, options) =>
      streamEvents(overConnection, inStore<EventsParams>(params, storeId), options),
    allEvents: (params, options) =>
      storeEvents(overConnection, inStore<AllEventsParams>(params, storeId), options),
    follow: (params, options) => follows.open(inStore<FollowEventsParams>(params, storeId), options),
    subscribe: (params, options = {}) =>
      subscriptions.subscribe(params, { ...options, timeoutMs: options.timeoutMs ?? settings.timeoutMs }),
    saveSubscription: (given: InStore<SaveSubscriptionParams>, options?: CallOptions) => {
      const params = inStore<SaveSubscriptionParams>(given, storeId);
      persistent ??= createPersistent(connection, overConnection, settings);
      if (!(persistent instanceof Promise)) return persistent.join(params, options);
      // What could not be loaded is asked for again by the next call.
      persistent.catch(() => {
        persistent = undefined;
      });
      return persistent.then((loaded) => loaded.join(params, options));
    },
    withEvents: <F extends AnyEvent, B extends AnyEvent>(schema?: EventSchema<F, B>) =>
      (schema === undefined ? gater : withSchema(gater, schema)) as unknown as RemoteGater<F, B>,
    async close() {
      if (persistent instanceof Promise) persistent.then((loaded) => loaded.close()).catch(() => undefined);
      else persistent?.close();
      follows.close();
      await subscriptions.close();
    },
    [Symbol.asyncDispose]: () => gater.close(),
  };
  return gater;
}

/**
 * Connects to the first of several gateways that answers, and to the next one whenever the connection breaks.
 * Resolves when the gateway has sent `hello` and has accepted the token.
 *
 * @throws `invalid_argument` (reasons `url`, `connect_options`, `retry_policy`); `unavailable` when no gateway
 * answered in time; `unauthorized` or `not_supported` when all gateways refused; the signal's reason
 */
export async function connect<E extends AnyEvent = NewEvent>(
  urls: string | readonly string[],
  options: ConnectOptions = {},
  components: ConnectComponents = {},
): Promise<RemoteGater<E>> {
  const settings = resolveConnect(urls, options, components);
  settings.signal?.throwIfAborted();
  const connection = openConnection(settings);
  const timeoutError = (timeoutMs: number): GaterError => cannotConnect(connection, timeoutMs);
  try {
    const { connectTimeoutMs: timeoutMs, clock } = settings;
    await waitFor(Promise.all([connection.ready(), loadTracing().catch(() => undefined)]), {
      timeoutMs,
      timeoutError,
      clock,
    });
  } catch (error) {
    await connection.close();
    settings.signal?.throwIfAborted();
    throw error;
  }
  return createRemoteGater(connection, settings).withEvents<E>();
}
