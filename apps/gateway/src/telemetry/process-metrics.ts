import { collectDefaultMetrics, Registry } from '@prometheus-io/client';

/** Metrics of the library that `promtool check metrics` refuses: gauges named like counters, types in names. */
const MISNAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
  'nodejs_eventloop_utilization_histogram',
  'nodejs_eventloop_utilization_summary',
];

/** The longest interval that Node.js takes. */
const MAX_INTERVAL_MS = 2 ** 31 - 1;

let registry: Registry | undefined;

/**
 * Returns the metrics of this process: CPU, memory, file descriptors, heap, garbage collection and the delay of the
 * event loop. All gateways of a process share them, since the library's observers cannot be stopped.
 */
export function processMetrics(): Registry {
  if (registry === undefined) {
    registry = new Registry();
    // Nobody sees the event loop's utilization, as its names are refused: then it need not be measured 10 times a second.
    collectDefaultMetrics({ register: registry, eventLoopUtilizationTimeout: MAX_INTERVAL_MS });
    for (const name of MISNAMED) registry.removeSingleMetric(name);
  }
  return registry;
}
