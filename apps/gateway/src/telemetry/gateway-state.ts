import type { KafkaBroker, KafkaStats } from '@esdb-gater/broker-kafka';
import { CLOSE_CODES } from '@esdb-gater/protocol';
import type { ObservedState } from '@esdb-gater/telemetry';
import type { Broker, Channels, Registry, Subscriptions } from '@esdb-gater/types';
import type { EventLoopMonitor } from './event-loop.ts';

export interface GatewayStateComponents {
  readonly registry: Registry;
  readonly channels: Channels;
  readonly broker: Broker;
  readonly subscriptions: Pick<Subscriptions, 'stats'>;
  readonly eventLoop: EventLoopMonitor;
  /** Live WebSocket connections and server-sent streams. */
  readonly connections: () => { readonly websocket: number; readonly sse: number };
  /** Bytes that WebSocket connections have not taken yet. */
  readonly sendQueueBytes: () => number;
  /** The number of messages of live and past connections that were refused without an answer. */
  readonly refusedNotifications: () => number;
  /** WebSocket connections that the gateway has closed, by close code. */
  readonly closures: () => ReadonlyMap<number, number>;
}

/** The sources of the gateway's metrics. */
export interface GatewayState extends ObservedState {
  broker(): { readonly status: ReturnType<Broker['health']>['status']; readonly stats?: KafkaStats };
}

export function createGatewayState(components: GatewayStateComponents): GatewayState {
  const { registry, channels, broker, subscriptions, eventLoop, closures, ...rest } = components;
  return {
    ...rest,
    *closures() {
      const counts = new Map(closures());
      for (const code of CLOSING_CODES) {
        yield { code: String(code), count: counts.get(code) ?? 0 };
        counts.delete(code);
      }
      const other = [...counts.values()].reduce((sum, count) => sum + count, 0);
      if (other > 0) yield { code: 'other', count: other };
    },
    channels: () => channels.channelInfo(),
    stores: () =>
      registry.stores().map((storeId) => {
        const workers = registry.workers(storeId);
        const live = workers.filter(({ workerId }) => registry.isLive(storeId, workerId)).length;
        return { storeId, live, ejected: workers.length - live };
      }),
    subscriptions: () => subscriptions.stats(),
    eventLoopDelay: () => eventLoop.read(),
    broker() {
      const { status } = broker.health();
      return 'stats' in broker ? { status, stats: (broker as KafkaBroker).stats() } : { status };
    },
  };
}

/** The close codes that a gateway uses. */
const CLOSING_CODES = [
  CLOSE_CODES.goingAway,
  CLOSE_CODES.tooSlow,
  CLOSE_CODES.unauthorized,
  CLOSE_CODES.forbidden,
  CLOSE_CODES.authenticationTimeout,
  CLOSE_CODES.tooMany,
] as const;
