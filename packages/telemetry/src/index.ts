// Events

export { type TraceContext as TraceCarrier, validTraceContext } from '@esdb-gater/primitives';

// Traces
export type { MessagingSubject, RpcSubject, SpanSubject, StoreSubject } from './conventions.ts';
export { attachDefaultHandler, DEFAULT_HANDLER_ID } from './default-handler.ts';
export { EVENTS, type EventName, type Measurements, type Metadata, type TelemetryEvents } from './events.ts';
export {
  attach,
  detach,
  emit,
  type Handler,
  type HandlerArguments,
  hasHandlers,
  setLogger,
} from './handlers.ts';
// Metrics
export { type InstrumentSink, type Observe, presentLabels, type Series } from './instrument-sink.ts';
export { INSTRUMENTS, type Instrument, type LabelsOf } from './instruments.ts';
export { createLabelValues, type LabelValues, type LabelValuesOptions } from './label-values.ts';
export { activeTraceFields } from './log-fields.ts';
export { observeRequest } from './observe-request.ts';
export {
  type ObservedBroker,
  type ObservedChannel,
  type ObservedState,
  type ObserveStateOptions,
  observeState,
} from './observe-state.ts';
export { attachOpenTelemetry, type OpenTelemetryOptions } from './open-telemetry.ts';
export { type RecordEventsOptions, recordEvents } from './record-events.ts';
export {
  activeSampledSpan,
  isTracing,
  type SampledSpan,
  type SpanOptions,
  withDeliverySpan,
  withSpan,
} from './spans.ts';
export { extractTraceContext, injectTraceContext, parseTraceContext } from './trace-context.ts';
