import { type Meter, metrics } from '@opentelemetry/api';
import { SCOPE } from './conventions.ts';
import type { LabelValues } from './label-values.ts';
import { createMeterSink } from './meter-sink.ts';
import { recordEvents } from './record-events.ts';

export interface OpenTelemetryOptions {
  /** Under which the handler is attached. @default 'esdb_gater.open_telemetry' */
  readonly id?: string;
  /** Whether `request.*` are calls that this process serves or makes. @default 'server' */
  readonly side?: 'server' | 'client';
  /** @default the global one, which does nothing until an SDK is registered */
  readonly meter?: Meter;
  /** The closed sets of label values. @default sets for a program that chooses its store ids itself */
  readonly labels?: LabelValues;
}

/**
 * Records the events as OpenTelemetry metrics. It uses the OpenTelemetry API only: register an SDK first, or nothing is
 * recorded.
 *
 * @returns a function that detaches it
 * @throws `invalid_argument` (reason `handler_attached`) when its id is attached already
 */
export function attachOpenTelemetry(options: OpenTelemetryOptions = {}): () => void {
  const { id = 'esdb_gater.open_telemetry', meter = metrics.getMeter(SCOPE), ...rest } = options;
  return recordEvents(createMeterSink(meter), { id, ...rest });
}
