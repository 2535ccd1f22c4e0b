import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { describe, expect, test } from 'vitest';
import { type ObservedState, observeState } from './observe-state.ts';

const STATE: ObservedState = {
  connections: () => ({ websocket: 3, sse: 1 }),
  sendQueueBytes: () => 512,
  channels: () => [{ name: 'events', subscribers: 4, dropped: 2 }],
  stores: () => [{ storeId: 'default', live: 1, ejected: 2 }],
  eventLoopDelay: () => ({ p50Ms: 1, p99Ms: 20, maxMs: 300 }),
  broker: () => ({ status: 'healthy' }),
};

/** The values of one export by the name of the metric and what tells them apart. */
async function exported(state: ObservedState, stopFirst = false): Promise<Record<string, unknown>> {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  const stop = observeState(state, { meter: provider.getMeter('test') });
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
  test('exports what the gateway says of itself, delays in seconds', async () => {
    expect(await exported(STATE)).toEqual({
      'esdb_gater.connections': { websocket: 3, sse: 1 },
      'esdb_gater.send_queue.size': { '': 512 },
      'esdb_gater.channel.subscriptions': { 'esdb_gater events': 4 },
      'esdb_gater.channel.dropped': { 'esdb_gater events': 2 },
      'esdb_gater.store.workers': { 'default live': 1, 'default ejected': 2 },
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
      'esdb_gater.broker.queue.records': { '': 5 },
      'esdb_gater.broker.queue.size': { '': 600 },
      'esdb_gater.channel.lag': { events: 9 },
      'esdb_gater.dead_letters': { metrics: 1 },
      'esdb_gater.broker.duplicates': { '': 3 },
      'esdb_gater.broker.leaderless_partitions': { '': 2 },
    });
  });

  test('is asked no more once it has been stopped', async () => {
    expect(await exported(STATE, true)).toEqual({});
  });
});
