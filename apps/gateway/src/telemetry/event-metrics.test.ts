import { emit } from '@esdb-gater/telemetry';
import { afterEach, expect, test } from 'vitest';
import { addEventMetrics } from './event-metrics.ts';
import { createMetricRegistry } from './metric-registry.ts';

const metrics = createMetricRegistry();
const stop = addEventMetrics(metrics);
afterEach(stop);

test('each of the eleven events has its metric, and none a topic', () => {
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
  const lines = metrics.render().split('\n');
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
  expect(metrics.render()).not.toContain('secret');
});
