import { GaterError } from '@esdb-gater/types';
import { context, type Link, type Span, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import { ERROR_TYPE, SCOPE, type SpanSubject, spanAttributes, spanKind, spanName } from './conventions.ts';
import {
  carrierOf,
  extractTraceContext,
  parseTraceContext,
  type TraceCarrier,
  validTraceContext,
} from './trace-context.ts';

export interface SpanOptions {
  /** Whose child the span is. @default the active span of this process */
  readonly parent?: TraceCarrier;
  /** What else it has to do with: the messages of a batch, the publish that a delivery comes from. */
  readonly links?: readonly TraceCarrier[];
}

/**
 * Runs `run` in a span of its own, which ends with its promise; an error that it throws is the span's error.
 *
 * `run` gets the strings to send along: the new span's, or, where no SDK is registered, the parent's own (checked,
 * see `validTraceContext`), so that a process without tracing breaks no trace. Then there is no span, and the cost
 * is that of the check.
 */
export function withSpan<T>(
  subject: SpanSubject,
  options: SpanOptions,
  run: (carrier: TraceCarrier, span?: Span) => Promise<T>,
): Promise<T> {
  const tracer = registeredTracer();
  return tracer === undefined
    ? run(validTraceContext(options.parent ?? {}))
    : traced(tracer, subject, options, run);
}

async function traced<T>(
  tracer: Tracer,
  subject: SpanSubject,
  { parent, links }: SpanOptions,
  run: (carrier: TraceCarrier, span?: Span) => Promise<T>,
): Promise<T> {
  const active = context.active();
  const parentContext = parent === undefined ? active : extractTraceContext(parent, active);
  const options = {
    kind: spanKind(subject),
    attributes: spanAttributes(subject),
    links: (links ?? []).flatMap(linkOf),
  };
  const span = tracer.startSpan(spanName(subject), options, parentContext);
  try {
    const own = trace.setSpan(parentContext, span);
    return await context.with(own, run, undefined, carrierOf(span.spanContext()), span);
  } catch (error) {
    const { code } = GaterError.from(error);
    span.setAttribute(ERROR_TYPE, code);
    span.setStatus({ code: SpanStatusCode.ERROR, message: code });
    throw error;
  } finally {
    span.end();
  }
}

/**
 * The tracer of the SDK; undefined when none is registered. The API hands out a proxy in any case: only its
 * delegate tells. A provider that is no such proxy counts as an SDK.
 */
function registeredTracer(): Tracer | undefined {
  const provider: { getDelegateTracer?(name: string): Tracer | undefined; getTracer(name: string): Tracer } =
    trace.getTracerProvider();
  return provider.getDelegateTracer === undefined
    ? provider.getTracer(SCOPE)
    : provider.getDelegateTracer(SCOPE);
}

function linkOf(carrier: TraceCarrier): Link[] {
  const spanContext = parseTraceContext(carrier);
  return spanContext === undefined ? [] : [{ context: spanContext }];
}
