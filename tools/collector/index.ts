import { existsSync } from 'node:fs';
import { collectorBinary } from './build.ts';

export { type RunningCollector, startCollector } from './start-collector.ts';

/**
 * Why tests with a real Collector cannot run here, or undefined when they can. With `CI=true` they always run, so that
 * a machine without a Collector fails instead of passing without tests.
 */
export function collectorUnavailable(): string | undefined {
  if (process.env['CI'] === 'true' || existsSync(collectorBinary())) return undefined;
  return 'no OpenTelemetry Collector: `npm run collector` builds one with Go';
}
