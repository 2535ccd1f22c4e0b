import { readFileSync } from 'node:fs';
import { INSTRUMENTS, type Instrument } from '@esdb-gater/telemetry';
import { expect, test } from 'vitest';
import { prometheusLabel, prometheusName } from './prometheus-names.ts';

const INSTRUMENT_LIST: readonly Instrument[] = Object.values(INSTRUMENTS);

test.each([
  ['counter', 'a.b', '{call}', 'a_b_total'],
  ['counter', 'cpu', 's', 'cpu_seconds_total'],
  ['upDownCounter', 'a.queue', 'By', 'a_queue_bytes'],
  ['gauge', 'a.queue.bytes', 'By', 'a_queue_bytes'],
  ['gauge', 'used', '1', 'used_ratio'],
  ['gauge', 'a.sent', '{message}/s', 'a_sent_per_second'],
  ['gauge', 'a.read', 'By/s', 'a_read_bytes_per_second'],
  ['histogram', 'rpc.server.call.duration', 's', 'rpc_server_call_duration_seconds'],
] as const)('the %s %s in %s is %s', (kind, name, unit, expected) => {
  expect(prometheusName({ kind, name, unit })).toBe(expected);
});

test('dots of a label become underscores', () => {
  expect(prometheusLabel('esdb_gater.store.id')).toBe('esdb_gater_store_id');
});

test('dashboards find every metric under the name that it has always had', () => {
  expect(new Set(INSTRUMENT_LIST.map(prometheusName))).toEqual(
    new Set([
      'esdb_gater_requests_total',
      'esdb_gater_requests_in_flight',
      'esdb_gater_request_duration_seconds',
      'rpc_server_call_duration_seconds',
      'esdb_gater_worker_lookup_duration_seconds',
      'esdb_gater_worker_registrations_total',
      'esdb_gater_retries_total',
      'esdb_gater_retries_exhausted_total',
      'esdb_gater_cluster_nodes',
      'esdb_gater_broadcasts_total',
      'esdb_gater_deliveries_total',
      'esdb_gater_connections',
      'esdb_gater_connections_closed_total',
      'esdb_gater_send_queue_bytes',
      'esdb_gater_refused_notifications_total',
      'esdb_gater_workers',
      'esdb_gater_subscription_consumers',
      'esdb_gater_subscription_lag',
      'esdb_gater_subscription_parked',
      'esdb_gater_subscription_in_flight',
      'esdb_gater_subscription_retries_total',
      'esdb_gater_subscription_oldest_unacknowledged_seconds',
      'esdb_gater_channel_subscribers',
      'esdb_gater_channel_published_per_second',
      'esdb_gater_channel_delivered_per_second',
      'esdb_gater_channel_dropped_total',
      'esdb_gater_channel_lag',
      'esdb_gater_dead_letters_total',
      'esdb_gater_broker_up',
      'esdb_gater_broker_queue',
      'esdb_gater_broker_queue_bytes',
      'esdb_gater_broker_duplicates_total',
      'esdb_gater_broker_leaderless_partitions',
      'esdb_gater_event_loop_delay_seconds',
    ]),
  );
});

test('the README lists every metric of the table', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const rows = readme.split('\n').filter((line) => /^\| `(esdb_gater|rpc)_/.test(line));
  expect(rows.map((row) => row.split('|').map((cell) => cell.trim()))).toEqual(
    INSTRUMENT_LIST.map((one) => [
      '',
      `\`${prometheusName(one)}\``,
      `\`${one.name}\``,
      one.kind,
      one.labels.map((label) => `\`${label}\``).join(', '),
      one.description,
      '',
    ]),
  );
});
