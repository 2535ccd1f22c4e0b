import type { KafkaBroker, KafkaStats } from '@esdb-gater/broker-kafka';
import type { ObservedState } from '@esdb-gater/telemetry';
import type { Broker, ChannelInfo, Channels, Registry } from '@esdb-gater/types';
import type { EventLoopMonitor } from './event-loop.ts';

export interface GatewayStateComponents {
  readonly registry: Registry;
  readonly channels: Channels;
  readonly broker: Broker;
  readonly eventLoop: EventLoopMonitor;
  /** Live WebSocket connections and server-sent streams. */
  readonly connections: () => { readonly websocket: number; readonly sse: number };
  /** Bytes that WebSocket connections have not taken yet. */
  readonly sendQueueBytes: () => number;
}

/** What `/metrics` and OpenTelemetry ask a gateway for. */
export interface GatewayState extends ObservedState {
  channels(): readonly ChannelInfo[];
  broker(): { readonly status: ReturnType<Broker['health']>['status']; readonly stats?: KafkaStats };
}

export function createGatewayState(components: GatewayStateComponents): GatewayState {
  const { registry, channels, broker, eventLoop, connections, sendQueueBytes } = components;
  return {
    connections,
    sendQueueBytes,
    channels: () => channels.channelInfo(),
    stores: () =>
      registry.stores().map((storeId) => {
        const workers = registry.workers(storeId);
        const live = workers.filter(({ workerId }) => registry.isLive(storeId, workerId)).length;
        return { storeId, live, ejected: workers.length - live };
      }),
    eventLoopDelay: () => eventLoop.read(),
    broker() {
      const { status } = broker.health();
      return 'stats' in broker ? { status, stats: (broker as KafkaBroker).stats() } : { status };
    },
  };
}
