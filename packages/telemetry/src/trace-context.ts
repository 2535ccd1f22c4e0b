import {
  type Context,
  createTraceState,
  isSpanContextValid,
  ROOT_CONTEXT,
  type SpanContext,
  trace,
} from '@opentelemetry/api';

/** W3C trace context as it stands in a WebSocket message, a worker call or a Kafka header. */
export interface TraceCarrier {
  readonly traceparent?: string;
  readonly tracestate?: string;
}

const LONGEST_TRACESTATE = 512;
const VERSION_00_LENGTH = 55;

/** version - trace id - parent id - flags; hexadecimal in lower case, no id all zero, version ff never. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Printable ASCII. What the members mean is looked at only where a span is made of them. */
const TRACESTATE = /^[\x20-\x7e]*$/;

const NOTHING: TraceCarrier = Object.freeze({});

/**
 * What of a carrier from outside may be passed on, exactly as the W3C recommendation has it: a `traceparent` that
 * is malformed drops both, a `tracestate` that is malformed or over 512 characters drops itself. A `traceparent` of
 * a later version than 00 is cut to the parts that are known and passed on as 00.
 *
 * @param carrier any value at all: the members may come from a hostile client
 * @returns the valid members; the cost is bounded whatever the lengths
 */
export function validTraceContext(carrier: {
  readonly traceparent?: unknown;
  readonly tracestate?: unknown;
}): TraceCarrier {
  const traceparent = validTraceparent(carrier.traceparent);
  if (traceparent === undefined) return NOTHING;
  const { tracestate } = carrier;
  return isTracestate(tracestate) ? { traceparent, tracestate } : { traceparent };
}

/** The span context of a carrier; undefined when it has none that is valid. */
export function parseTraceContext(carrier: {
  readonly traceparent?: unknown;
  readonly tracestate?: unknown;
}): SpanContext | undefined {
  const { traceparent, tracestate } = validTraceContext(carrier);
  if (traceparent === undefined) return undefined;
  const spanContext: SpanContext = {
    traceId: traceparent.slice(3, 35),
    spanId: traceparent.slice(36, 52),
    traceFlags: Number.parseInt(traceparent.slice(53), 16),
    isRemote: true,
  };
  if (tracestate !== undefined) spanContext.traceState = createTraceState(tracestate);
  return spanContext;
}

/** `context` with the carrier's span as the remote parent; `context` itself when the carrier has none. */
export function extractTraceContext(carrier: TraceCarrier, context: Context = ROOT_CONTEXT): Context {
  const spanContext = parseTraceContext(carrier);
  return spanContext === undefined ? context : trace.setSpanContext(context, spanContext);
}

/** The strings that hand the span of `context` on; empty when there is none. */
export function injectTraceContext(context: Context): TraceCarrier {
  const spanContext = trace.getSpanContext(context);
  return spanContext === undefined ? NOTHING : carrierOf(spanContext);
}

export function carrierOf(spanContext: SpanContext): TraceCarrier {
  if (!isSpanContextValid(spanContext)) return NOTHING;
  const { traceId, spanId, traceFlags, traceState } = spanContext;
  const traceparent = `00-${traceId}-${spanId}-${(traceFlags & 0xff).toString(16).padStart(2, '0')}`;
  const tracestate = traceState?.serialize() ?? '';
  return tracestate === '' ? { traceparent } : { traceparent, tracestate };
}

function validTraceparent(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  if (value.length === VERSION_00_LENGTH && value.startsWith('00')) {
    return TRACEPARENT.test(value) ? value : undefined;
  }
  // A later version: it may go on after a dash.
  if (value.startsWith('00') || (value.length > VERSION_00_LENGTH && value[VERSION_00_LENGTH] !== '-')) {
    return undefined;
  }
  const known = value.slice(0, VERSION_00_LENGTH);
  return TRACEPARENT.test(known) ? `00${known.slice(2)}` : undefined;
}

function isTracestate(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value.length > 0 &&
    value.length <= LONGEST_TRACESTATE &&
    TRACESTATE.test(value)
  );
}
