import { isMethodName } from '@esdb-gater/protocol';
import {
  createLabelValues,
  INSTRUMENTS,
  type LabelValues,
  observeState,
  recordEvents,
} from '@esdb-gater/telemetry';
import { createExposition, type Exposition } from './exposition.ts';
import type { GatewayState } from './gateway-state.ts';

/** The metrics of one gateway, for `/metrics` and for OpenTelemetry. */
export interface GatewayMetrics {
  /** Returns the body of `GET /metrics`. */
  readonly exposition: Exposition;
  /** Reads `state` whenever the metrics are exported. */
  observe(state: GatewayState): void;
  close(): void;
}

/** Creates the closed sets of label values of a gateway with these stores in its configuration. */
export function createGatewayLabels(configuredStores: Iterable<string>): LabelValues {
  return createLabelValues({
    configuredStores,
    isMethod: (name) => isMethodName(name) || name === 'execute',
  });
}

/** Records the telemetry events for `/metrics` from now on. */
export function createGatewayMetrics(labels: LabelValues): GatewayMetrics {
  const exposition = createExposition(Object.values(INSTRUMENTS));
  const ends = [recordEvents(exposition, { labels })];
  return {
    exposition,
    observe(state) {
      ends.push(observeState(state, { labels }), observeState(state, { labels, sink: exposition }));
    },
    close() {
      for (const end of ends.splice(0)) end();
    },
  };
}
