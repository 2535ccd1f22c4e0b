/** The W3C trace context of a WebSocket message, a worker call, an HTTP request or a Kafka record. */
export interface TraceContext {
  readonly traceparent?: string;
  readonly tracestate?: string;
}

/** The fields of a `traceparent`. */
export interface Traceparent {
  /** 32 hexadecimal digits, not all zero. */
  readonly traceId: string;
  /** 16 hexadecimal digits, not all zero. */
  readonly parentId: string;
  /** 0 to 255. */
  readonly flags: number;
}

/** The length that implementations should at least propagate, by the recommendation. */
const MAX_TRACESTATE_UNITS = 512;
const VERSION_00_UNITS = 55;

/** version - trace id - parent id - flags; hexadecimal in lower case, no id all zero, version ff never. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Printable ASCII. The members are interpreted only where a span is created from them. */
const TRACESTATE = /^[\x20-\x7e]+$/;

const NOTHING: TraceContext = Object.freeze({});

/**
 * Returns the members of an untrusted carrier that may be passed on (W3C Trace Context, level 1): a malformed
 * `traceparent` drops both members; a `tracestate` that is malformed or longer than 512 characters is dropped alone. A
 * `traceparent` of a later version than 00 is cut to its first four fields and passed on as version 00.
 *
 * @param carrier any value at all: the members may come from a hostile client
 * @returns the valid members; the cost is bounded for input of any length
 */
export function validTraceContext(carrier: {
  readonly traceparent?: unknown;
  readonly tracestate?: unknown;
}): TraceContext {
  const traceparent = validTraceparent(carrier.traceparent);
  if (traceparent === undefined) return NOTHING;
  const { tracestate } = carrier;
  return isTracestate(tracestate) ? { traceparent, tracestate } : { traceparent };
}

/** Returns the fields of a `traceparent`, or undefined when it is malformed. */
export function parseTraceparent(value: unknown): Traceparent | undefined {
  const traceparent = validTraceparent(value);
  if (traceparent === undefined) return undefined;
  return {
    traceId: traceparent.slice(3, 35),
    parentId: traceparent.slice(36, 52),
    flags: Number.parseInt(traceparent.slice(53), 16),
  };
}

/** As version 00. */
function validTraceparent(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  if (value.length === VERSION_00_UNITS && value.startsWith('00')) {
    return TRACEPARENT.test(value) ? value : undefined;
  }
  // A later version may have more fields after a dash.
  if (value.startsWith('00') || (value.length > VERSION_00_UNITS && value[VERSION_00_UNITS] !== '-')) {
    return undefined;
  }
  const known = value.slice(0, VERSION_00_UNITS);
  return TRACEPARENT.test(known) ? `00${known.slice(2)}` : undefined;
}

/** Returns true for a `tracestate` that may be passed on: printable ASCII, at most 512 characters. */
export function isTracestate(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_TRACESTATE_UNITS && TRACESTATE.test(value);
}
