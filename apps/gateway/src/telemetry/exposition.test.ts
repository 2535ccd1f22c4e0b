import type { Instrument } from '@esdb-gater/telemetry';
import { expect, test } from 'vitest';
import { expositionFaults } from '../../tests/support/exposition.ts';
import { createExposition, type Exposition } from './exposition.ts';

const REQUESTS = {
  kind: 'counter',
  source: 'event',
  name: 'requests',
  unit: '{call}',
  description: 'Requests',
  labels: ['rpc.method', 'error.type'],
} as const;
const SECONDS = {
  kind: 'histogram',
  source: 'event',
  name: 'duration',
  unit: 's',
  description: 'Durations',
  labels: [],
  bounds: [0.1, 1],
} as const;
const IN_FLIGHT = {
  kind: 'upDownCounter',
  source: 'event',
  name: 'in_flight',
  unit: '{call}',
  description: 'Under way',
  labels: [],
} as const;
const NODES = {
  kind: 'gauge',
  source: 'event',
  name: 'nodes',
  unit: '{node}',
  description: 'Nodes',
  labels: [],
} as const;
const LAG = {
  kind: 'gauge',
  source: 'state',
  name: 'lag',
  unit: '{record}',
  description: 'Lag',
  labels: ['channel'],
} as const;
const LETTERS = {
  kind: 'counter',
  source: 'state',
  name: 'letters',
  unit: '{record}',
  description: 'Letters',
  labels: [],
} as const;
const ALL: readonly Instrument[] = [REQUESTS, SECONDS, IN_FLIGHT, NODES, LAG, LETTERS];

/** The text without the metrics of the process. */
async function own(exposition: Exposition): Promise<string> {
  const { text } = await exposition.render();
  return text.slice(0, text.indexOf('\n# HELP process_cpu_user_seconds_total'));
}

test('counters, histograms and gauges are written as Prometheus text', async () => {
  const exposition = createExposition(ALL);
  const requests = exposition.series(REQUESTS, { 'rpc.method': 'publish', 'error.type': undefined });
  requests(1);
  const duration = exposition.series(SECONDS, {});
  for (const seconds of [0.05, 0.1, 0.5, 5]) duration(seconds);
  const inFlight = exposition.series(IN_FLIGHT, {});
  const nodes = exposition.series(NODES, {});
  exposition.observe([LAG, LETTERS], (observe) => {
    observe(LAG, 3, { channel: 'events' });
    observe(LETTERS, 7, {});
  });
  await exposition.render();
  requests(2);
  inFlight(1);
  inFlight(1);
  inFlight(-1);
  nodes(3);
  expect(await own(exposition)).toBe(`# HELP requests_total Requests
# TYPE requests_total counter
requests_total{rpc_method="publish"} 3

# HELP duration_seconds Durations
# TYPE duration_seconds histogram
duration_seconds_bucket{le="0.1"} 2
duration_seconds_bucket{le="1"} 3
duration_seconds_bucket{le="+Inf"} 4
duration_seconds_sum 5.65
duration_seconds_count 4

# HELP in_flight Under way
# TYPE in_flight gauge
in_flight 1

# HELP nodes Nodes
# TYPE nodes gauge
nodes 3

# HELP lag Lag
# TYPE lag gauge
lag{channel="events"} 3

# HELP letters_total Letters
# TYPE letters_total counter
letters_total 7
`);
});

test('OpenMetrics shows the newest trace of each bucket, and ends', async () => {
  let span: { traceId: string; spanId: string } | undefined;
  let now = 0;
  const exposition = createExposition([REQUESTS, SECONDS], { span: () => span, now: () => now });
  const requests = exposition.series(REQUESTS, { 'rpc.method': 'publish', 'error.type': undefined });
  const duration = exposition.series(SECONDS, {});
  requests(1);
  duration(0.02);
  for (const [traceId, seconds] of [
    ['a', 0.05],
    ['b', 0.06],
    ['c', 7],
  ] as const) {
    span = { traceId: traceId.repeat(32), spanId: '1'.repeat(16) };
    now += 1_500;
    duration(seconds);
  }
  span = undefined;
  duration(0.5);
  const { contentType, text } = await exposition.render('openmetrics');
  expect(contentType).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
  expect(text.slice(0, text.indexOf('\n# HELP process_'))).toBe(`# HELP requests Requests
# TYPE requests counter
requests_total{rpc_method="publish"} 1
# HELP duration_seconds Durations
# TYPE duration_seconds histogram
duration_seconds_bucket{le="0.1"} 3 # {trace_id="${'b'.repeat(32)}",span_id="1111111111111111"} 0.06 3
duration_seconds_bucket{le="1"} 4
duration_seconds_bucket{le="+Inf"} 5 # {trace_id="${'c'.repeat(32)}",span_id="1111111111111111"} 7 4.5
duration_seconds_sum 7.63
duration_seconds_count 5`);
  expect(text).toMatch(/\n# TYPE process_cpu_seconds counter\nprocess_cpu_seconds_total [^\n]+\n/);
  expect(text.match(/^# EOF$/gm)).toHaveLength(1);
  expect(text.endsWith('\n# EOF\n')).toBe(true);
  expect((await exposition.render()).text).not.toContain('trace_id');
});

test('a metric without a value has its type and help, but no sample', async () => {
  const exposition = createExposition([NODES, LAG, LETTERS]);
  exposition.series(NODES, {});
  const samples = (await own(exposition)).split('\n').filter((line) => /^[a-z]/.test(line));
  expect(samples).toEqual([]);
});

test('only the current state has samples', async () => {
  const exposition = createExposition([LAG]);
  let channels = ['events', 'system'];
  const end = exposition.observe([LAG], (observe) => {
    for (const channel of channels) observe(LAG, 1, { channel });
  });
  expect(await own(exposition)).toContain('lag{channel="system"} 1');
  channels = ['events'];
  expect(await own(exposition)).not.toContain('system');
  end();
  expect(await own(exposition)).not.toContain('events');
});

test('a label cannot break out of its quotes or its line', async () => {
  const exposition = createExposition([LAG]);
  exposition.observe([LAG], (observe) => observe(LAG, 1, { channel: 'a"} 1\nfake{x="\\' }));
  expect(await own(exposition)).toContain('lag{channel="a\\"} 1\\nfake{x=\\"\\\\"} 1\n');
  expect(expositionFaults((await exposition.render()).text)).toEqual([]);
});

test('only metrics of the exposition are taken', () => {
  expect(() => createExposition([LAG]).series(NODES, {})).toThrow(
    'nodes must be a metric of this exposition',
  );
});

test('the metrics of the process are those of Node.js, once however many gateways it has', async () => {
  const { text } = await createExposition([]).render();
  await createExposition([]).render();
  for (const name of [
    'process_cpu_seconds_total',
    'process_resident_memory_bytes',
    'process_start_time_seconds',
    'nodejs_heap_size_used_bytes',
    'nodejs_heap_space_size_used_bytes',
    'nodejs_gc_duration_seconds',
    'nodejs_eventloop_lag_p99_seconds',
  ]) {
    expect(text).toContain(`# TYPE ${name} `);
  }
  expect(expositionFaults(text)).toEqual([]);
});
