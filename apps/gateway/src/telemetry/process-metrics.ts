import { collectDefaultMetrics, Registry } from '@prometheus-io/client';

/** Metrics of the library that `promtool check metrics` refuses: gauges named like counters, types in names. */
const MISNAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
  'nodejs_eventloop_utilization_histogram',
  'nodejs_eventloop_utilization_summary',
];

/** The longest interval of a timer in Node.js. */
const MAX_INTERVAL_MS = 2 ** 31 - 1;

let registry: Registry | undefined;

/**
 * Returns the metrics of this process: CPU, memory, file descriptors, heap, garbage collection and the delay of the
 * event loop. All gateways of a process share them, since the library's observers cannot be stopped.
 */
export function processMetrics(): Registry {
  if (registry === undefined) {
    registry = new Registry();
    // The two metrics of the event loop's utilization are removed below, so it is not measured ten times a second.
    collectDefaultMetrics({ register: registry, eventLoopUtilizationTimeout: MAX_INTERVAL_MS });
    for (const name of MISNAMED) registry.removeSingleMetric(name);
  }
  return registry;
}
