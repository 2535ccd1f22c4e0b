import { waitFor } from '@esdb-gater/primitives';
import type { Hello, SaveSubscriptionParams } from '@esdb-gater/protocol';
import {
  type ChannelMessage,
  type DroppedNotice,
  GaterError,
  type NewEvent,
  type ReplayedNotice,
} from '@esdb-gater/types';
import { type Connection, type OpenConnection, openConnection } from './connection/connection.ts';
import {
  type ConnectComponents,
  type ConnectionSettings,
  type ConnectOptions,
  completeConnect,
} from './connection/options.ts';
import { retryingCalls } from './connection/retrying-calls.ts';
import { createFacade } from './facade.ts';
import type { AnyEvent, CallOptions, Gater } from './gater.ts';
import { storeEvents, streamEvents } from './paging.ts';
import { type Lane, Lanes } from './subscriptions/lanes.ts';
import { PersistentSubscriptions } from './subscriptions/persistent-subscriptions.ts';
import { SubscriptionHub } from './subscriptions/subscription-hub.ts';

/** A `Gater` over WebSocket. */
export interface RemoteGater<E extends AnyEvent = NewEvent> extends Gater<E> {
  /** What the gateway said when the connection was made, the last time. */
  readonly hello: Hello;
  /** The connection itself, to serve a store through it or to hear what has no method of its own. */
  readonly connection: Connection;
  withEvents<F extends AnyEvent>(): RemoteGater<F>;
}

/** Subscriptions over a connection. */
function createLane(connection: OpenConnection, settings: ConnectionSettings, onEmpty?: () => void): Lane {
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
          // Without a connection there is nothing to end; with one that breaks it ends by itself.
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
    notification: (method, params) => {
      switch (method) {
        case 'message':
          hub.message(params as ChannelMessage);
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

function createRemoteGater(connection: OpenConnection, settings: ConnectionSettings): RemoteGater {
  const lanes = new Lanes(createLane(connection, settings), (onEmpty) =>
    createLane(openConnection(settings), settings, onEmpty),
  );
  const overConnection = retryingCalls(connection, settings);
  const persistent = new PersistentSubscriptions(connection, overConnection);

  const gater: RemoteGater = {
    ...createFacade(overConnection),
    // Subscriptions of this client have a home here: the gateway alone would not end their iterations.
    unsubscribe: async (params) => ({ removed: await lanes.unsubscribe(params) }),
    connection,
    get hello(): Hello {
      if (connection.hello === undefined) throw new GaterError('unavailable', 'there was no connection yet');
      return connection.hello;
    },
    events: (params, options) => streamEvents(overConnection, params, options),
    allEvents: (params, options) => storeEvents(overConnection, params, options),
    subscribe: (params, options = {}) =>
      lanes.subscribe(params, { ...options, timeoutMs: options.timeoutMs ?? settings.timeoutMs }),
    saveSubscription: (params: SaveSubscriptionParams, options?: CallOptions) =>
      persistent.join(params, options),
    withEvents: <F extends AnyEvent>() => gater as unknown as RemoteGater<F>,
    async close() {
      persistent.close();
      await lanes.close();
    },
    [Symbol.asyncDispose]: () => gater.close(),
  };
  return gater;
}

/**
 * Connects to a gateway, to the first of several that is there, and to another one whenever the connection
 * breaks. Resolves when the gateway has said hello and has taken the token.
 *
 * @throws `invalid_argument` (reasons `url`, `connect_options`, `retry_policy`); `unavailable` when no gateway was
 * there in time; `unauthorized`, `not_supported` when all refused; the signal's reason
 */
export async function connect<E extends AnyEvent = NewEvent>(
  urls: string | readonly string[],
  options: ConnectOptions = {},
  components: ConnectComponents = {},
): Promise<RemoteGater<E>> {
  const settings = completeConnect(urls, options, components);
  settings.signal?.throwIfAborted();
  const connection = openConnection(settings);
  const timeoutError = (timeoutMs: number): GaterError =>
    new GaterError('unavailable', `no connection to a gateway within ${timeoutMs} ms`, {
      cause: connection.lastError,
    });
  try {
    const { connectTimeoutMs: timeoutMs, clock } = settings;
    await waitFor(connection.ready(), { timeoutMs, timeoutError, clock });
  } catch (error) {
    await connection.close();
    settings.signal?.throwIfAborted();
    throw error;
  }
  return createRemoteGater(connection, settings).withEvents<E>();
}
