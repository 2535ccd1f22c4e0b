import { isTracestate, parseTraceparent, type TraceContext } from '@esdb-gater/primitives';
import {
  type Context,
  createTraceState,
  isSpanContextValid,
  ROOT_CONTEXT,
  type SpanContext,
  trace,
} from '@opentelemetry/api';

const NOTHING: TraceContext = Object.freeze({});

/** Returns the span context of a carrier, or undefined when it has no valid one. */
export function parseTraceContext(carrier: {
  readonly traceparent?: unknown;
  readonly tracestate?: unknown;
}): SpanContext | undefined {
  const parent = parseTraceparent(carrier.traceparent);
  if (parent === undefined) return undefined;
  const spanContext: SpanContext = {
    traceId: parent.traceId,
    spanId: parent.parentId,
    traceFlags: parent.flags,
    isRemote: true,
  };
  if (isTracestate(carrier.tracestate)) spanContext.traceState = createTraceState(carrier.tracestate);
  return spanContext;
}

/** `context` with the carrier's span as the remote parent; Returns `context` itself when the carrier has none. */
export function extractTraceContext(carrier: TraceContext, context: Context = ROOT_CONTEXT): Context {
  const spanContext = parseTraceContext(carrier);
  return spanContext === undefined ? context : trace.setSpanContext(context, spanContext);
}

/** Returns the headers that pass the span of `context` on; empty without a span. */
export function injectTraceContext(context: Context): TraceContext {
  const spanContext = trace.getSpanContext(context);
  return spanContext === undefined ? NOTHING : carrierOf(spanContext);
}

export function carrierOf(spanContext: SpanContext): TraceContext {
  if (!isSpanContextValid(spanContext)) return NOTHING;
  const { traceId, spanId, traceFlags, traceState } = spanContext;
  const traceparent = `00-${traceId}-${spanId}-${(traceFlags & 0xff).toString(16).padStart(2, '0')}`;
  const tracestate = traceState?.serialize() ?? '';
  return tracestate === '' ? { traceparent } : { traceparent, tracestate };
}
