import { isSpanContextValid, trace } from '@opentelemetry/api';
import { LOG_FIELDS } from './conventions.ts';

const NONE: Readonly<Record<string, string>> = Object.freeze({});

/** `trace_id`, `span_id` and `trace_flags` of the active span, for a log line; empty when none is active. */
export function activeTraceFields(): Readonly<Record<string, string>> {
  const spanContext = trace.getActiveSpan()?.spanContext();
  if (spanContext === undefined || !isSpanContextValid(spanContext)) return NONE;
  return {
    [LOG_FIELDS.traceId]: spanContext.traceId,
    [LOG_FIELDS.spanId]: spanContext.spanId,
    [LOG_FIELDS.flags]: (spanContext.traceFlags & 0xff).toString(16).padStart(2, '0'),
  };
}
