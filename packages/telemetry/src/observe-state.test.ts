import { CHANNEL_NAMES } from '@esdb-gater/types';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { describe, expect, test } from 'vitest';
import { createLabelValues, type LabelValues } from './label-values.ts';
import { type ObservedState, observeState } from './observe-state.ts';

const STATE: ObservedState = {
  connections: () => ({ websocket: 3, sse: 1 }),
  closures: () => [{ code: '4008', count: 6 }],
  sendQueueBytes: () => 512,
  refusedNotifications: () => 7,
  channels: () => [
    { name: 'events', subscribers: 4, publishedPerSecond: 1.5, deliveredPerSecond: 6, dropped: 2 },
  ],
  stores: () => [{ storeId: 'default', live: 1, ejected: 2 }],
  eventLoopDelay: () => ({ p50Ms: 1, p99Ms: 20, maxMs: 300 }),
  broker: () => ({ status: 'healthy' }),
};

/** The values of one export, by metric name and labels. */
async function exported(
  state: ObservedState,
  { stopFirst = false, ...options }: { stopFirst?: boolean; labels?: LabelValues } = {},
): Promise<Record<string, unknown>> {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  const stop = observeState(state, { meter: provider.getMeter('test'), ...options });
  if (stopFirst) stop();
  await provider.forceFlush();
  const metrics = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((m) => m.metrics));
  await provider.shutdown();
  return Object.fromEntries(
    metrics
      .filter(({ dataPoints }) => dataPoints.length > 0)
      .map(({ descriptor, dataPoints }) => [
        descriptor.name,
        Object.fromEntries(
          dataPoints.map(({ attributes, value }) => [Object.values(attributes).join(' '), value]),
        ),
      ]),
  );
}

describe('observeState', () => {
  test('exports the state of the gateway, with delays in seconds', async () => {
    expect(await exported(STATE)).toEqual({
      'esdb_gater.connections': { websocket: 3, sse: 1 },
      'esdb_gater.connections_closed': { '4008': 6 },
      'esdb_gater.send_queue': { '': 512 },
      'esdb_gater.refused_notifications': { '': 7 },
      'esdb_gater.channel.subscribers': { events: 4 },
      'esdb_gater.channel.published': { events: 1.5 },
      'esdb_gater.channel.delivered': { events: 6 },
      'esdb_gater.channel.dropped': { events: 2 },
      'esdb_gater.dead_letters': Object.fromEntries(CHANNEL_NAMES.map((name) => [name, 0])),
      'esdb_gater.workers': { 'default live': 1, 'default ejected': 2 },
      'esdb_gater.event_loop.delay': { p50: 0.001, p99: 0.02, max: 0.3 },
      'esdb_gater.broker.up': { '': 1 },
    });
  });

  test('exports lag, queue and dead letters of a broker that has them', async () => {
    const stats = {
      queued: { records: 5, bytes: 600 },
      lag: new Map([['events', 9]]),
      deadLetters: new Map([['metrics', 1]]),
      duplicates: 3,
      leaderless: 2,
    };
    expect(await exported({ ...STATE, broker: () => ({ status: 'degraded', stats }) })).toMatchObject({
      'esdb_gater.broker.up': { '': 0.5 },
      'esdb_gater.broker.queue': { '': 5 },
      'esdb_gater.broker.queue.bytes': { '': 600 },
      'esdb_gater.channel.lag': { events: 9 },
      'esdb_gater.dead_letters': { metrics: 1 },
      'esdb_gater.broker.duplicates': { '': 3 },
      'esdb_gater.broker.leaderless_partitions': { '': 2 },
    });
  });

  test('adds up the workers of stores without their own label value', async () => {
    const stores = () => [
      { storeId: 'mine', live: 1, ejected: 0 },
      { storeId: 'made-up-1', live: 2, ejected: 1 },
      { storeId: 'made-up-2', live: 3, ejected: 0 },
    ];
    const labels = createLabelValues({ configuredStores: ['mine'] });
    expect(await exported({ ...STATE, stores }, { labels })).toMatchObject({
      'esdb_gater.workers': { 'mine live': 1, 'mine ejected': 0, 'other live': 5, 'other ejected': 1 },
    });
  });

  test('adds up the persistent subscriptions of a store, and tells the worst lag and age', async () => {
    const one = {
      storeId: 'mine',
      consumers: 1,
      lag: 5,
      parked: 2,
      inFlight: 3,
      retries: 4,
      oldestUnackedMs: 500,
    };
    const subscriptions = () => [
      one,
      { ...one, lag: 7, oldestUnackedMs: 100 },
      { ...one, storeId: 'made-up-1' },
      { ...one, storeId: 'made-up-2' },
    ];
    const labels = createLabelValues({ configuredStores: ['mine'] });
    expect(await exported({ ...STATE, subscriptions }, { labels })).toMatchObject({
      'esdb_gater.subscription.consumers': { mine: 2, other: 2 },
      'esdb_gater.subscription.lag': { mine: 7, other: 5 },
      'esdb_gater.subscription.parked': { mine: 4, other: 4 },
      'esdb_gater.subscription.in_flight': { mine: 6, other: 6 },
      'esdb_gater.subscription.retries': { mine: 8, other: 8 },
      'esdb_gater.subscription.oldest_unacknowledged': { mine: 0.5, other: 0.5 },
    });
  });

  test('is asked no more once it has been stopped', async () => {
    expect(await exported(STATE, { stopFirst: true })).toEqual({});
  });
});
