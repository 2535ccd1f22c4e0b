/**
 * The table of metrics: the only place that names them. A gateway's `/metrics` and its OpenTelemetry export both use
 * this table, so their names, labels and buckets are the same.
 *
 * Names are those of OpenTelemetry. Prometheus names follow from these by the standard mapping: dots become
 * underscores, the unit becomes a suffix, a counter ends with `_total`. `rpc.*` follows the semantic conventions
 * v1.45.0 (stable for RPC as such, in development for JSON-RPC); names that begin with `esdb_gater.` have no
 * convention. Durations are in seconds, whereas telemetry events give milliseconds. Topics, streams and message ids are
 * never labels: their number has no bound. The values of all labels come from closed sets, see `label-values.ts`.
 */

/** The description of one metric. */
export interface Instrument {
  /** An `upDownCounter` is a sum that can also decrease; Prometheus shows it as a gauge. */
  readonly kind: 'counter' | 'upDownCounter' | 'gauge' | 'histogram';
  /** `event`: recorded as telemetry events occur. `state`: read from the gateway at each export. */
  readonly source: 'event' | 'state';
  readonly name: string;
  /** UCUM; counted objects are an annotation in braces. */
  readonly unit: string;
  readonly description: string;
  readonly labels: readonly string[];
  /** The upper bounds of a histogram's buckets, ascending. */
  readonly bounds?: readonly number[];
}

/** The label values of one series. A label that is undefined is left out. */
export type LabelsOf<One extends Instrument> = {
  readonly [Name in One['labels'][number]]: string | undefined;
};

/** The metrics of a gateway. */
export const INSTRUMENTS = {
  requests: {
    kind: 'counter',
    source: 'event',
    name: 'esdb_gater.requests',
    unit: '{call}',
    description: 'Store calls by method and outcome',
    labels: ['store_id', 'request_type', 'result'],
  },
  requestsInFlight: {
    kind: 'upDownCounter',
    source: 'event',
    name: 'esdb_gater.requests_in_flight',
    unit: '{call}',
    description: 'Store calls under way',
    labels: [],
  },
  requestDuration: {
    kind: 'histogram',
    source: 'event',
    name: 'esdb_gater.request.duration',
    unit: 's',
    description: 'Duration of store calls by method, in buckets that begin where memory answers',
    labels: ['request_type'],
    bounds: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  },
  serverCallDuration: {
    kind: 'histogram',
    source: 'event',
    name: 'rpc.server.call.duration',
    unit: 's',
    description: 'Duration of store calls by method, store and error, in the buckets of the RPC conventions',
    labels: ['rpc.system.name', 'rpc.method', 'esdb_gater.store.id', 'error.type'],
    bounds: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
  },
  lookupDuration: {
    kind: 'histogram',
    source: 'event',
    name: 'esdb_gater.worker.lookup.duration',
    unit: 's',
    description: 'Time to pick a worker',
    labels: ['store_id'],
    bounds: [1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 1e-3, 1e-2],
  },
  registrations: {
    kind: 'counter',
    source: 'event',
    name: 'esdb_gater.worker.registrations',
    unit: '{worker}',
    description: 'Workers that were registered and unregistered',
    labels: ['store_id', 'change'],
  },
  retries: {
    kind: 'counter',
    source: 'event',
    name: 'esdb_gater.retries',
    unit: '{attempt}',
    description: 'Attempts that failed and were retried',
    labels: ['store_id', 'reason'],
  },
  retriesExhausted: {
    kind: 'counter',
    source: 'event',
    name: 'esdb_gater.retries_exhausted',
    unit: '{call}',
    description: 'Calls that used up their attempts',
    labels: ['store_id', 'reason'],
  },
  clusterNodes: {
    kind: 'gauge',
    source: 'event',
    name: 'esdb_gater.cluster.nodes',
    unit: '{node}',
    description: 'Nodes of the cluster, once one came or went',
    labels: [],
  },
  broadcasts: {
    kind: 'counter',
    source: 'event',
    name: 'esdb_gater.broadcasts',
    unit: '{message}',
    description: 'Messages that reached subscribers',
    labels: ['channel'],
  },
  deliveries: {
    kind: 'counter',
    source: 'event',
    name: 'esdb_gater.deliveries',
    unit: '{message}',
    description: 'Messages times the subscribers they reached',
    labels: ['channel'],
  },
  connections: {
    kind: 'upDownCounter',
    source: 'state',
    name: 'esdb_gater.connections',
    unit: '{connection}',
    description: 'Live connections',
    labels: ['kind'],
  },
  connectionsClosed: {
    kind: 'counter',
    source: 'state',
    name: 'esdb_gater.connections_closed',
    unit: '{connection}',
    description: 'WebSocket connections that the gateway closed, by close code',
    labels: ['code'],
  },
  sendQueue: {
    kind: 'upDownCounter',
    source: 'state',
    name: 'esdb_gater.send_queue',
    unit: 'By',
    description: 'Bytes that WebSocket connections have not taken yet',
    labels: [],
  },
  refusedNotifications: {
    kind: 'counter',
    source: 'state',
    name: 'esdb_gater.refused_notifications',
    unit: '{call}',
    description: 'Calls without an id that were refused',
    labels: [],
  },
  workers: {
    kind: 'upDownCounter',
    source: 'state',
    name: 'esdb_gater.workers',
    unit: '{worker}',
    description: 'Registered workers by store, live and ejected',
    labels: ['store_id', 'state'],
  },
  subscriptionConsumers: {
    kind: 'upDownCounter',
    source: 'state',
    name: 'esdb_gater.subscription.consumers',
    unit: '{consumer}',
    description: 'Consumers of persistent subscriptions by store',
    labels: ['store_id'],
  },
  subscriptionLag: {
    kind: 'gauge',
    source: 'state',
    name: 'esdb_gater.subscription.lag',
    unit: '{event}',
    description: 'Positions that the checkpoint furthest behind lies behind its store',
    labels: ['store_id'],
  },
  subscriptionParked: {
    kind: 'upDownCounter',
    source: 'state',
    name: 'esdb_gater.subscription.parked',
    unit: '{event}',
    description: 'Parked events of persistent subscriptions by store',
    labels: ['store_id'],
  },
  subscriptionInFlight: {
    kind: 'upDownCounter',
    source: 'state',
    name: 'esdb_gater.subscription.in_flight',
    unit: '{event}',
    description: 'Delivered events that are not acknowledged, by store',
    labels: ['store_id'],
  },
  subscriptionRetries: {
    kind: 'counter',
    source: 'state',
    name: 'esdb_gater.subscription.retries',
    unit: '{event}',
    description: 'Events that were delivered again, by store',
    labels: ['store_id'],
  },
  subscriptionOldest: {
    kind: 'gauge',
    source: 'state',
    name: 'esdb_gater.subscription.oldest_unacknowledged',
    unit: 's',
    description: 'Age of the oldest delivered event that is not acknowledged, by store',
    labels: ['store_id'],
  },
  channelSubscribers: {
    kind: 'upDownCounter',
    source: 'state',
    name: 'esdb_gater.channel.subscribers',
    unit: '{subscription}',
    description: 'Subscriptions by channel',
    labels: ['channel'],
  },
  channelPublished: {
    kind: 'gauge',
    source: 'state',
    name: 'esdb_gater.channel.published',
    unit: '{message}/s',
    description: 'Messages published',
    labels: ['channel'],
  },
  channelDelivered: {
    kind: 'gauge',
    source: 'state',
    name: 'esdb_gater.channel.delivered',
    unit: '{message}/s',
    description: 'Messages delivered',
    labels: ['channel'],
  },
  channelDropped: {
    kind: 'counter',
    source: 'state',
    name: 'esdb_gater.channel.dropped',
    unit: '{message}',
    description: 'Messages of low priority that slow connections lost',
    labels: ['channel'],
  },
  channelLag: {
    kind: 'gauge',
    source: 'state',
    name: 'esdb_gater.channel.lag',
    unit: '{record}',
    description: 'Records that this node has not delivered yet',
    labels: ['channel'],
  },
  deadLetters: {
    kind: 'counter',
    source: 'state',
    name: 'esdb_gater.dead_letters',
    unit: '{record}',
    description: 'Records put aside because they cannot be delivered',
    labels: ['channel'],
  },
  brokerUp: {
    kind: 'gauge',
    source: 'state',
    name: 'esdb_gater.broker.up',
    unit: '{broker}',
    description: '1 when the broker works, 0.5 when in part, else 0',
    labels: [],
  },
  brokerQueue: {
    kind: 'upDownCounter',
    source: 'state',
    name: 'esdb_gater.broker.queue',
    unit: '{record}',
    description: 'Records that wait for the broker',
    labels: [],
  },
  brokerQueueBytes: {
    kind: 'upDownCounter',
    source: 'state',
    name: 'esdb_gater.broker.queue.bytes',
    unit: 'By',
    description: 'Bytes that wait for the broker',
    labels: [],
  },
  brokerDuplicates: {
    kind: 'counter',
    source: 'state',
    name: 'esdb_gater.broker.duplicates',
    unit: '{record}',
    description: 'Records left out because they had come before',
    labels: [],
  },
  brokerLeaderless: {
    kind: 'gauge',
    source: 'state',
    name: 'esdb_gater.broker.leaderless_partitions',
    unit: '{partition}',
    description: 'Partitions without a leader',
    labels: [],
  },
  eventLoopDelay: {
    kind: 'gauge',
    source: 'state',
    name: 'esdb_gater.event_loop.delay',
    unit: 's',
    description: 'Lateness of the event loop over the last 10 s',
    labels: ['statistic'],
  },
} as const;

/** The duration of a client's calls, which a client measures instead of `serverCallDuration`. */
export const CLIENT_CALL_DURATION = {
  kind: 'histogram',
  source: 'event',
  name: 'rpc.client.call.duration',
  unit: 's',
  description: 'Duration of store calls by method, store and error, in the buckets of the RPC conventions',
  labels: ['rpc.system.name', 'rpc.method', 'esdb_gater.store.id', 'error.type'],
  bounds: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
} as const;
