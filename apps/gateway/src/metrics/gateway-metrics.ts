import { attach, detach, type HandlerArguments } from '@esdb-gater/telemetry';
import { CHANNEL_NAMES } from '@esdb-gater/types';
import type { GatewayState } from './gateway-state.ts';
import { createMetricRegistry, type MetricRegistry } from './metric-registry.ts';

export interface GatewayMetricsComponents {
  readonly state: GatewayState;
  /** What live and past connections sent that was refused without an answer. */
  readonly refusedNotifications: () => number;
}

/** Upper bounds in seconds: from what memory answers to the deadline of a store call. */
const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

let attachments = 0;

/** What `GET /metrics` shows of this gateway, fed by the telemetry events and by asking its parts. */
export function createGatewayMetrics(components: GatewayMetricsComponents): {
  readonly registry: MetricRegistry;
  close(): void;
} {
  const metrics = createMetricRegistry();
  const requests = metrics.counter('esdb_gater_requests_total', 'Store calls, by method and outcome.');
  const seconds = metrics.histogram(
    'esdb_gater_request_duration_seconds',
    'How long store calls took.',
    SECONDS,
  );
  const retries = metrics.counter('esdb_gater_retries_total', 'Attempts that failed and were made again.');
  const exhausted = metrics.counter(
    'esdb_gater_retries_exhausted_total',
    'Calls whose attempts were used up.',
  );
  const broadcasts = metrics.counter('esdb_gater_broadcasts_total', 'Messages that reached subscribers.');
  const recipients = metrics.counter(
    'esdb_gater_deliveries_total',
    'Messages times the subscribers they reached.',
  );

  // Series by what tells them apart: looking one up costs a map, making its labels costs far more.
  const ofRequest = remembered((key) => {
    const [store_id = '', request_type = '', result = ''] = key.split(' ');
    return {
      count: requests.series({ store_id, request_type, result }),
      seconds: seconds.series({ request_type }),
    };
  });
  const ofChannel = remembered((channel) => ({
    broadcasts: broadcasts.series({ channel }),
    recipients: recipients.series({ channel }),
  }));

  const observe = (...[event, measurements, metadata]: HandlerArguments<undefined>): void => {
    switch (event) {
      case 'esdb_gater.request.stop':
      case 'esdb_gater.request.error': {
        const { store_id, request_type } = metadata;
        const result = event === 'esdb_gater.request.stop' ? 'ok' : metadata.reason;
        // None of the three has a blank.
        const series = ofRequest(`${store_id} ${request_type} ${result}`);
        series.count.add(1);
        series.seconds.observe(measurements.duration / 1_000);
        break;
      }
      case 'esdb_gater.retry.attempt':
        retries.series({ store_id: metadata.store_id, reason: metadata.reason }).add(1);
        break;
      case 'esdb_gater.retry.exhausted':
        exhausted.series({ store_id: metadata.store_id, reason: metadata.reason }).add(1);
        break;
      case 'esdb_gater.channel.broadcast': {
        if (measurements.recipient_count === 0) break;
        const series = ofChannel(metadata.channel);
        series.broadcasts.add(1);
        series.recipients.add(measurements.recipient_count);
      }
    }
  };
  const id = `esdb_gater.metrics.${++attachments}`;
  attach(id, observe);
  addGauges(metrics, components);
  return { registry: metrics, close: () => void detach(id) };
}

/** Most keys that are remembered at once. */
const MAX_REMEMBERED = 2_000;

function remembered<Made>(make: (key: string) => Made): (key: string) => Made {
  const known = new Map<string, Made>();
  return (key) => {
    let made = known.get(key);
    if (made === undefined) {
      made = make(key);
      if (known.size >= MAX_REMEMBERED) known.clear();
      known.set(key, made);
    }
    return made;
  };
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
        [{ quantile: '0.5' }, p50Ms / 1_000],
        [{ quantile: '0.99' }, p99Ms / 1_000],
        [{ quantile: '1' }, maxMs / 1_000],
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
