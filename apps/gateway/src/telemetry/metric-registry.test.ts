import { expect, test } from 'vitest';
import { createMetricRegistry } from './metric-registry.ts';

test('counters, histograms and gauges are written as Prometheus text', () => {
  const metrics = createMetricRegistry();
  const requests = metrics.counter('requests_total', 'Requests.');
  requests.series({ method: 'publish' }).add(1);
  requests.series({ method: 'publish' }).add(2);
  const seconds = metrics.histogram('seconds', 'Durations.', [0.1, 1]);
  for (const value of [0.05, 0.1, 0.5, 5]) seconds.series().observe(value);
  metrics.gauge('up', 'Up.', () => [[{}, 1]]);
  expect(metrics.render()).toBe(`# HELP requests_total Requests.
# TYPE requests_total counter
requests_total{method="publish"} 3
# HELP seconds Durations.
# TYPE seconds histogram
seconds_bucket{le="0.1"} 2
seconds_bucket{le="1"} 3
seconds_bucket{le="+Inf"} 4
seconds_sum 5.65
seconds_count 4
# HELP up Up.
# TYPE up gauge
up 1
`);
});

test('a label cannot break out of its quotes or its line', () => {
  const metrics = createMetricRegistry();
  metrics.counter('c', 'C.').series({ store: 'a"} 1\nfake{x="\\' }).add(1);
  expect(metrics.render().split('\n')).toHaveLength(4);
  expect(metrics.render()).toContain('c{store="a\\"} 1\\nfake{x=\\"\\\\"} 1');
});

test('callers cannot grow the number of series without bound', () => {
  const metrics = createMetricRegistry();
  const counter = metrics.counter('c', 'C.');
  for (let i = 0; i < 5_000; i++) counter.series({ store: `s${i}` }).add(1);
  const lines = metrics.render().split('\n');
  expect(lines.length).toBeLessThan(2_010);
  expect(lines).toContain('c{store="other"} 3000');
});
