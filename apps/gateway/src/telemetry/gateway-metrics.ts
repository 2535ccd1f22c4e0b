import { CLOSE_CODES } from '@esdb-gater/protocol';
import { CHANNEL_NAMES } from '@esdb-gater/types';
import { addEventMetrics } from './event-metrics.ts';
import type { GatewayState } from './gateway-state.ts';
import { createMetricRegistry, type MetricRegistry } from './metric-registry.ts';

export interface GatewayMetricsComponents {
  readonly state: GatewayState;
  /** What live and past connections sent that was refused without an answer. */
  readonly refusedNotifications: () => number;
  /** WebSocket connections that the gateway has closed, by close code. */
  readonly closures: () => ReadonlyMap<number, number>;
}

/** What `GET /metrics` shows of this gateway, fed by the telemetry events and by asking its parts. */
export function createGatewayMetrics(components: GatewayMetricsComponents): {
  readonly registry: MetricRegistry;
  close(): void;
} {
  const registry = createMetricRegistry();
  const close = addEventMetrics(registry);
  addGauges(registry, components);
  return { registry, close };
}

function addGauges(metrics: MetricRegistry, { state, ...rest }: GatewayMetricsComponents): void {
  metrics.gauge('esdb_gater_connections', 'Live connections.', () => {
    const { websocket, sse } = state.connections();
    return [
      [{ kind: 'websocket' }, websocket],
      [{ kind: 'sse' }, sse],
    ];
  });
  metrics.gauge('esdb_gater_send_queue_bytes', 'Bytes that WebSocket connections have not taken yet.', () => [
    [{}, state.sendQueueBytes()],
  ]);
  metrics.gauge(
    'esdb_gater_refused_notifications_total',
    'Calls without an id that were refused.',
    () => [[{}, rest.refusedNotifications()]],
    'counter',
  );
  metrics.gauge(
    'esdb_gater_connections_closed_total',
    'WebSocket connections that the gateway closed, by close code.',
    function* () {
      const counts = rest.closures();
      for (const code of CLOSING_CODES) yield [{ code: String(code) }, counts.get(code) ?? 0];
    },
    'counter',
  );
  metrics.gauge('esdb_gater_workers', 'Registered workers by store, live and ejected.', function* () {
    for (const { storeId: store_id, live, ejected } of state.stores()) {
      yield [{ store_id, state: 'live' }, live];
      yield [{ store_id, state: 'ejected' }, ejected];
    }
  });
  for (const [name, help, member] of CHANNEL_GAUGES) {
    metrics.gauge(
      name,
      help,
      function* () {
        for (const info of state.channels()) yield [{ channel: info.name }, info[member]];
      },
      name.endsWith('_total') ? 'counter' : 'gauge',
    );
  }
  addBrokerGauges(metrics, state);
  metrics.gauge(
    'esdb_gater_event_loop_delay_seconds',
    'How late the event loop is, over the last 10 s.',
    () => {
      const { p50Ms, p99Ms, maxMs } = state.eventLoopDelay();
      return [
        [{ statistic: 'p50' }, p50Ms / 1_000],
        [{ statistic: 'p99' }, p99Ms / 1_000],
        [{ statistic: 'max' }, maxMs / 1_000],
      ];
    },
  );
  metrics.gauge(
    'process_cpu_seconds_total',
    'User and system CPU time.',
    () => {
      const { user, system } = process.cpuUsage();
      return [[{}, (user + system) / 1e6]];
    },
    'counter',
  );
  metrics.gauge('process_resident_memory_bytes', 'Resident memory.', () => [[{}, process.memoryUsage.rss()]]);
}

/** What a gateway closes connections with of its own accord. */
const CLOSING_CODES = [
  CLOSE_CODES.goingAway,
  CLOSE_CODES.tooSlow,
  CLOSE_CODES.unauthorized,
  CLOSE_CODES.forbidden,
  CLOSE_CODES.authenticationTimeout,
  CLOSE_CODES.tooMany,
] as const;

/** How a broker does by what it says of its health, as a number to be drawn. */
const UP = { healthy: 1, degraded: 0.5, unhealthy: 0 } as const;

/** The broker, and what only one outside of this process has: lag, a queue to it, dead letters. */
function addBrokerGauges(metrics: MetricRegistry, state: GatewayState): void {
  metrics.gauge('esdb_gater_broker_up', '1 when the broker works, 0.5 when in part, else 0.', () => [
    [{}, UP[state.broker().status]],
  ]);
  metrics.gauge(
    'esdb_gater_dead_letters_total',
    'Records put aside because they cannot be delivered.',
    function* () {
      const counts = state.broker().stats?.deadLetters;
      for (const channel of CHANNEL_NAMES) yield [{ channel }, counts?.get(channel) ?? 0];
    },
    'counter',
  );
  metrics.gauge('esdb_gater_channel_lag', 'Records that this node has not handed over yet.', function* () {
    for (const [channel, lag] of state.broker().stats?.lag ?? []) yield [{ channel }, lag];
  });
  metrics.gauge('esdb_gater_broker_queue', 'Records that wait for the broker.', function* () {
    const { stats } = state.broker();
    if (stats !== undefined) yield [{}, stats.queued.records];
  });
  metrics.gauge('esdb_gater_broker_queue_bytes', 'Bytes that wait for the broker.', function* () {
    const { stats } = state.broker();
    if (stats !== undefined) yield [{}, stats.queued.bytes];
  });
  metrics.gauge(
    'esdb_gater_broker_duplicates_total',
    'Records left out because they had come before.',
    function* () {
      const { stats } = state.broker();
      if (stats !== undefined) yield [{}, stats.duplicates];
    },
    'counter',
  );
  metrics.gauge('esdb_gater_broker_leaderless_partitions', 'Partitions without a leader.', function* () {
    const { stats } = state.broker();
    if (stats !== undefined) yield [{}, stats.leaderless];
  });
}

const CHANNEL_GAUGES = [
  ['esdb_gater_channel_subscribers', 'Subscriptions by channel.', 'subscribers'],
  ['esdb_gater_channel_published_per_second', 'Messages published.', 'publishedPerSecond'],
  ['esdb_gater_channel_delivered_per_second', 'Messages delivered.', 'deliveredPerSecond'],
  ['esdb_gater_channel_dropped_total', 'Messages of low priority that slow connections lost.', 'dropped'],
] as const;
