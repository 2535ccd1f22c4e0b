import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { afterEach, describe, expect, test } from 'vitest';
import { detach, emit } from './handlers.ts';
import { attachOpenTelemetry } from './open-telemetry.ts';

interface Point {
  readonly attributes: Record<string, unknown>;
  readonly value: unknown;
}

/** The metrics of a real SDK, after `act`, by name. */
async function recorded(act: () => void, side?: 'client'): Promise<Map<string, Point[]>> {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  const stop = attachOpenTelemetry({ meter: provider.getMeter('test'), ...(side && { side }) });
  act();
  stop();
  await provider.forceFlush();
  const metrics = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((m) => m.metrics));
  await provider.shutdown();
  return new Map(metrics.map((m) => [m.descriptor.name, m.dataPoints as Point[]]));
}

afterEach(() => {
  detach('esdb_gater.open_telemetry');
});

describe('attachOpenTelemetry', () => {
  test('records requests as durations in seconds under the RPC conventions, errors with their type', async () => {
    const request = { store_id: 'default', request_type: 'getEvents' };
    const metrics = await recorded(() => {
      emit('esdb_gater.request.start', { system_time: 1 }, request);
      emit('esdb_gater.request.stop', { duration: 250 }, { ...request, result: 'ok' });
      emit('esdb_gater.request.error', { duration: 500 }, { ...request, reason: 'timeout' });
    });
    const attributes = {
      'rpc.system.name': 'jsonrpc',
      'rpc.method': 'getEvents',
      'esdb_gater.store.id': 'default',
    };
    expect(metrics.get('rpc.server.call.duration')).toMatchObject([
      { attributes, value: { count: 1, sum: 0.25 } },
      { attributes: { ...attributes, 'error.type': 'timeout' }, value: { count: 1, sum: 0.5 } },
    ]);
  });

  test('calls that this process makes are client calls', async () => {
    const metrics = await recorded(() => {
      const metadata = { store_id: 's', request_type: 'getEvents', result: 'ok' };
      emit('esdb_gater.request.stop', { duration: 1 }, metadata);
    }, 'client');
    expect([...metrics.keys()]).toEqual(['rpc.client.call.duration']);
  });

  test('counts registrations, nodes, retries and broadcasts', async () => {
    const store = { store_id: 'default' };
    const metrics = await recorded(() => {
      emit('esdb_gater.worker.registered', { system_time: 1 }, { ...store, node: 'n', pid: '1' });
      emit('esdb_gater.worker.registered', { system_time: 1 }, { ...store, node: 'n', pid: '2' });
      emit('esdb_gater.worker.unregistered', { system_time: 1 }, { ...store, pid: '2' });
      emit('esdb_gater.worker.lookup', { duration: 0.002 }, store);
      emit('esdb_gater.retry.attempt', { delay_ms: 1, attempt: 1 }, { ...store, reason: 'overloaded' });
      emit('esdb_gater.retry.exhausted', { total_attempts: 10 }, { ...store, reason: 'overloaded' });
      emit('esdb_gater.cluster.node.up', { system_time: 1 }, { node: 'm', member_count: 2 });
      emit('esdb_gater.cluster.node.down', { system_time: 1 }, { node: 'm', member_count: 1 });
      emit('esdb_gater.channel.broadcast', { recipient_count: 7 }, { channel: 'events', topic: 'a.b' });
      emit('esdb_gater.channel.broadcast', { recipient_count: 3 }, { channel: 'events', topic: 'a.c' });
    });
    const values = Object.fromEntries([...metrics].map(([name, [point]]) => [name, point?.value]));
    expect(values).toMatchObject({
      'esdb_gater.worker.registrations': 2,
      'esdb_gater.worker.lookup.duration': { count: 1 },
      'esdb_gater.retries': 1,
      'esdb_gater.retries_exhausted': 1,
      'esdb_gater.cluster.nodes': 1,
      'esdb_gater.broadcasts': 2,
      'esdb_gater.deliveries': 10,
    });
  });

  test('topics are never labels', async () => {
    const metrics = await recorded(() => {
      for (let i = 0; i < 100; i++) {
        const metadata = { channel: 'events', topic: `orders.${i}` } as const;
        emit('esdb_gater.channel.broadcast', { recipient_count: 1 }, metadata);
      }
    });
    for (const points of metrics.values()) expect(points).toHaveLength(1);
    expect(JSON.stringify([...metrics])).not.toContain('orders');
  });
});
