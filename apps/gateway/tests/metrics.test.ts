import { connect } from '@esdb-gater/client';
import { expect, test } from 'vitest';
import { expositionFaults, promtoolFaults, promtoolUnavailable } from './support/exposition.ts';
import { startTestGateway } from './support/in-process.ts';

test('a strict parser accepts /metrics, and it has the metrics that operators need', async () => {
  await using gateway = await startTestGateway();
  await using client = await connect(gateway.url);
  await using messages = await client.subscribe({ channel: 'system', topic: 'very.private' });
  await client.publish({ channel: 'system', topic: 'very.private', message: 1 });
  for await (const _ of messages) break;
  await client.appendEvents({
    storeId: 'default',
    streamId: 'private-1',
    events: [{ type: 't', data: 1 }],
  });
  await expect(client.getEvents({ storeId: 'nowhere', streamId: 's' })).rejects.toThrow();

  const answer = await fetch(`${gateway.http}/metrics`);
  const text = await answer.text();
  expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(expositionFaults(text)).toEqual([]);
  for (const series of [
    'esdb_gater_dead_letters_total{channel="events"} 0',
    'esdb_gater_broker_up 1',
    'esdb_gater_channel_dropped_total{channel="logging"} 0',
    'esdb_gater_connections{kind="websocket"} 1',
    'esdb_gater_connections_closed_total{code="4008"} 0',
    'esdb_gater_deliveries_total{channel="system"} 1',
    'esdb_gater_event_loop_delay_seconds{statistic="max"} ',
    'esdb_gater_requests_total{store_id="other",request_type="getEvents",result="store_not_found"} 1',
    'esdb_gater_send_queue_bytes 0',
    'esdb_gater_worker_lookup_duration_seconds_count{store_id="default"} ',
    'esdb_gater_workers{store_id="default",state="live"} 1',
    '# TYPE esdb_gater_channel_lag gauge',
    'rpc_server_call_duration_seconds_count{rpc_system_name="jsonrpc",rpc_method="appendEvents",esdb_gater_store_id="default"} 1',
    'process_resident_memory_bytes ',
    'nodejs_heap_size_used_bytes ',
    'nodejs_eventloop_lag_p99_seconds ',
    '# TYPE nodejs_gc_duration_seconds histogram',
  ]) {
    expect(text).toContain(series);
  }
  expect(text).not.toContain('private');
  expect(text).not.toContain('nowhere');
});

const noPromtool = promtoolUnavailable();

test.skipIf(noPromtool !== undefined)(
  `promtool accepts /metrics, and refuses invalid text${noPromtool === undefined ? '' : ` (${noPromtool})`}`,
  async () => {
    await using gateway = await startTestGateway();
    await using client = await connect(gateway.url);
    await client.appendEvents({ storeId: 'default', streamId: 's', events: [{ type: 't', data: 1 }] });
    const text = await (await fetch(`${gateway.http}/metrics`)).text();
    expect(promtoolFaults(text)).toBe('');
    expect(promtoolFaults(`${text}\n# TYPE a counter\na 1\n`)).toContain('_total');
    expect(promtoolFaults(`${text}\n"`)).not.toBe('');
  },
);

test('the strict parser detects invalid text', () => {
  const family = (name: string, type: string, ...lines: string[]): string =>
    [`# HELP ${name} h`, `# TYPE ${name} ${type}`, ...lines, ''].join('\n');
  expect(expositionFaults(family('a_total', 'counter', 'a_total{b="c"} 1'))).toEqual([]);
  for (const wrong of [
    family('a', 'counter', 'a 1'),
    family('a_total', 'gauge', 'a_total 1'),
    family('a', 'gauge', 'a 1', 'a 1'),
    family('a', 'gauge', 'b 1'),
    family('a', 'gauge', 'a{b="c} 1'),
    family('a', 'gauge', 'a{quantile="0.5"} 1'),
    family('a_ms', 'gauge', 'a_ms 1'),
    family('a', 'histogram', 'a_bucket{le="1"} 2', 'a_bucket{le="+Inf"} 1', 'a_sum 1', 'a_count 1'),
    `${family('a', 'gauge', 'a 1')}${family('a', 'gauge', 'a{b="c"} 1')}`,
  ]) {
    expect(expositionFaults(wrong), wrong).not.toEqual([]);
  }
});
