import { attachOpenTelemetry, emit, INSTRUMENTS, type Instrument } from '@esdb-gater/telemetry';
import { metrics as metricsApi } from '@opentelemetry/api';
import {
  AggregationTemporality,
  DataPointType,
  InMemoryMetricExporter,
  MeterProvider,
  type MetricData,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { afterEach, expect, test } from 'vitest';
import { createGatewayLabels, createGatewayMetrics } from './gateway-metrics.ts';
import type { GatewayState } from './gateway-state.ts';
import { prometheusLabel, prometheusName } from './prometheus-names.ts';

const STATE: GatewayState = {
  connections: () => ({ websocket: 3, sse: 1 }),
  closures: () => [{ code: '4008', count: 2 }],
  sendQueueBytes: () => 512,
  refusedNotifications: () => 5,
  channels: () => [
    { name: 'events', subscribers: 4, publishedPerSecond: 1.5, deliveredPerSecond: 6, dropped: 2 },
  ],
  stores: () => [
    { storeId: 's', live: 1, ejected: 2 },
    { storeId: 'made-up', live: 1, ejected: 0 },
  ],
  subscriptions: () => [
    { storeId: 's', consumers: 1, lag: 5, parked: 2, inFlight: 3, retries: 4, oldestUnackedMs: 500 },
  ],
  eventLoopDelay: () => ({ p50Ms: 1, p99Ms: 20, maxMs: 300 }),
  broker: () => ({
    status: 'degraded',
    stats: {
      queued: { records: 5, bytes: 600 },
      lag: new Map([['events', 9]]),
      deadLetters: new Map([['metrics', 1]]),
      duplicates: 3,
      leaderless: 2,
    },
  }),
};

function emitAll(): void {
  const store = { store_id: 's' };
  const request = { ...store, request_type: 'getEvents' };
  emit('esdb_gater.worker.registered', { system_time: 1 }, { ...store, node: 'n', pid: 'w' });
  emit('esdb_gater.worker.unregistered', { system_time: 1 }, { ...store, pid: 'w' });
  emit('esdb_gater.worker.lookup', { duration: 0.002 }, store);
  emit('esdb_gater.request.start', { system_time: 1 }, request);
  emit('esdb_gater.request.start', { system_time: 1 }, request);
  emit('esdb_gater.request.start', { system_time: 1 }, request);
  emit('esdb_gater.request.stop', { duration: 2 }, { ...request, result: 'ok' });
  emit('esdb_gater.request.error', { duration: 2 }, { ...request, reason: 'timeout' });
  emit('esdb_gater.retry.attempt', { delay_ms: 1, attempt: 0 }, { ...store, reason: 'timeout' });
  emit('esdb_gater.retry.exhausted', { total_attempts: 3 }, { ...store, reason: 'timeout' });
  emit('esdb_gater.cluster.node.up', { system_time: 1 }, { node: 'n', member_count: 3 });
  emit('esdb_gater.cluster.node.down', { system_time: 1 }, { node: 'n', member_count: 2 });
  emit('esdb_gater.channel.broadcast', { recipient_count: 4 }, { channel: 'events', topic: 'secret.topic' });
}

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

test('each of the eleven events has its metric, and none a topic', async () => {
  const metrics = createGatewayMetrics(createGatewayLabels(['s']));
  ends.push(() => metrics.close());
  emitAll();
  const { text } = await metrics.exposition.render();
  const lines = text.split('\n');
  for (const line of [
    'esdb_gater_worker_registrations_total{store_id="s",change="registered"} 1',
    'esdb_gater_worker_registrations_total{store_id="s",change="unregistered"} 1',
    'esdb_gater_worker_lookup_duration_seconds_count{store_id="s"} 1',
    'esdb_gater_requests_in_flight 1',
    'esdb_gater_requests_total{store_id="s",request_type="getEvents",result="ok"} 1',
    'esdb_gater_requests_total{store_id="s",request_type="getEvents",result="timeout"} 1',
    'esdb_gater_request_duration_seconds_count{request_type="getEvents"} 2',
    'esdb_gater_retries_total{store_id="s",reason="timeout"} 1',
    'esdb_gater_retries_exhausted_total{store_id="s",reason="timeout"} 1',
    'esdb_gater_cluster_nodes 2',
    'esdb_gater_broadcasts_total{channel="events"} 1',
    'esdb_gater_deliveries_total{channel="events"} 4',
  ]) {
    expect(lines).toContain(line);
  }
  expect(text).not.toContain('secret');
});

test('/metrics and OpenTelemetry have the same metrics, labels, buckets and values', async () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  metricsApi.setGlobalMeterProvider(provider);
  ends.push(
    () => provider.shutdown(),
    () => metricsApi.disable(),
  );
  const labels = createGatewayLabels(['s']);
  const metrics = createGatewayMetrics(labels);
  ends.push(() => metrics.close());
  ends.push(attachOpenTelemetry({ id: 'test', labels }));
  metrics.observe(STATE);
  emitAll();

  await provider.forceFlush();
  const exported = exporter
    .getMetrics()
    .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((m) => m.metrics));
  const table: readonly Instrument[] = Object.values(INSTRUMENTS);
  expect(exported.map(({ descriptor }) => descriptor.name).sort()).toEqual(
    table.map(({ name }) => name).sort(),
  );

  const { text } = await metrics.exposition.render();
  const ofProcess = /^(# (HELP|TYPE) )?(process|nodejs)_/;
  const shown = text.split('\n').filter((line) => line !== '' && !ofProcess.test(line));
  expect(shown.filter((line) => !line.startsWith('#')).sort()).toEqual(exported.flatMap(samples).sort());
  expect(shown.filter((line) => line.startsWith('#')).sort()).toEqual(exported.flatMap(headLines).sort());
});

function instrumentOf({ descriptor }: MetricData): Instrument {
  const found = Object.values(INSTRUMENTS).find(({ name }) => name === descriptor.name);
  if (found === undefined) throw new Error(`${descriptor.name} must be in the table`);
  return found;
}

/** The help and type lines of a metric in the Prometheus text format, derived from the OpenTelemetry export. */
function headLines(data: MetricData): string[] {
  const { name, unit, description } = data.descriptor;
  const isCounter = data.dataPointType === DataPointType.SUM && data.isMonotonic;
  const type = isCounter ? 'counter' : data.dataPointType === DataPointType.HISTOGRAM ? 'histogram' : 'gauge';
  const shownName = prometheusName({ kind: type, name, unit });
  return [`# HELP ${shownName} ${description}`, `# TYPE ${shownName} ${type}`];
}

/** The samples of a metric in the Prometheus text format, derived from the OpenTelemetry export. */
function samples(data: MetricData): string[] {
  const name = prometheusName(instrumentOf(data));
  if (data.dataPointType === DataPointType.HISTOGRAM) {
    return data.dataPoints.flatMap(({ attributes, value: { buckets, count, sum } }) => {
      let below = 0;
      const bounds = buckets.counts.map((inBucket, index) => {
        below += inBucket;
        const le = String(buckets.boundaries[index] ?? '+Inf');
        return `${name}_bucket${braces({ ...attributes, le })} ${below}`;
      });
      const own = braces(attributes);
      return [...bounds, `${name}_sum${own} ${sum}`, `${name}_count${own} ${count}`];
    });
  }
  return data.dataPoints.map(({ attributes, value }) => `${name}${braces(attributes)} ${value}`);
}

function braces(attributes: object): string {
  const labels = Object.entries(attributes).map(([name, value]) => `${prometheusLabel(name)}="${value}"`);
  return labels.length === 0 ? '' : `{${labels.join(',')}}`;
}
