import { type TraceContext, validTraceContext } from '@esdb-gater/primitives';
import { GaterError } from '@esdb-gater/types';
import {
  context,
  type Link,
  ROOT_CONTEXT,
  type Span,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import {
  ERROR_TYPE,
  type MessagingSubject,
  RECIPIENTS,
  SCOPE,
  type SpanSubject,
  spanAttributes,
  spanKind,
  spanName,
} from './conventions.ts';
import { carrierOf, extractTraceContext, parseTraceContext } from './trace-context.ts';

export interface SpanOptions {
  /**
   * The parent of the span. Without a valid parent, a SERVER or CONSUMER span starts a new trace.
   * @default the active span of this process, for all other kinds
   */
  readonly parent?: TraceContext;
  /** Related spans: the messages of a batch, the publish of a delivery. */
  readonly links?: readonly TraceContext[];
}

/** Returns false while no SDK is registered: then there are no spans, and callers can skip preparing them. */
export function isTracing(): boolean {
  return registeredTracer() !== undefined;
}

/** The ids of a span whose trace is exported, in hexadecimal. */
export interface SampledSpan {
  readonly traceId: string;
  readonly spanId: string;
}

/** Returns the active span when its trace is sampled: the example of a measured value. Without an SDK it costs about 30 ns. */
export function activeSampledSpan(): SampledSpan | undefined {
  const spanContext = trace.getActiveSpan()?.spanContext();
  return spanContext !== undefined && (spanContext.traceFlags & TraceFlags.SAMPLED) !== 0
    ? spanContext
    : undefined;
}

/**
 * Runs `run` in a new span, which ends when its promise settles; an error that it throws is the span's error.
 *
 * `run` gets the context to send on: the new span's, or, when no SDK is registered, the parent's (checked by
 * `validTraceContext`), so that a process without tracing does not break a trace. In that case there is no span, and
 * only the check costs time.
 */
export function withSpan<T>(
  subject: SpanSubject,
  options: SpanOptions,
  run: (carrier: TraceContext, span?: Span) => Promise<T>,
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
  run: (carrier: TraceContext, span?: Span) => Promise<T>,
): Promise<T> {
  // A call from outside belongs to the trace that it names, never to the span that is active here.
  const active = beginsHere(subject) ? context.active() : ROOT_CONTEXT;
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
 * Delivers a message in a CONSUMER span, which is a child of its publish and linked to it. Each node that delivers the
 * message has one such span for all its receivers. There is no span when `deliver` returns 0, when the publish was not
 * sampled, or without an SDK.
 *
 * @param deliver returns the number of receivers; gets the context to send on: the span's, or, without one, the publish's
 */
export function withDeliverySpan(
  subject: MessagingSubject & { readonly kind: 'consumer' },
  publish: TraceContext,
  deliver: (carrier: TraceContext) => number,
): void {
  const tracer = registeredTracer();
  const linked = tracer === undefined ? undefined : parseTraceContext(publish);
  if (tracer === undefined || linked === undefined || (linked.traceFlags & TraceFlags.SAMPLED) === 0) {
    deliver(validTraceContext(publish));
    return;
  }
  const options = {
    kind: spanKind(subject),
    attributes: spanAttributes(subject),
    links: [{ context: linked }],
  };
  const published = trace.setSpanContext(ROOT_CONTEXT, linked);
  const span = tracer.startSpan(spanName(subject), options, published);
  const recipients = context.with(trace.setSpan(published, span), () =>
    deliver(carrierOf(span.spanContext())),
  );
  // A span that never ends is never exported.
  if (recipients > 0) span.setAttribute(RECIPIENTS, recipients).end();
}

function beginsHere({ kind }: SpanSubject): boolean {
  return kind !== 'server' && kind !== 'consumer';
}

/**
 * The tracer of the SDK; undefined when none is registered. The API always returns a proxy, so only its delegate shows
 * whether an SDK is registered. A provider that is not such a proxy counts as an SDK.
 */
function registeredTracer(): Tracer | undefined {
  const provider: { getDelegateTracer?(name: string): Tracer | undefined; getTracer(name: string): Tracer } =
    trace.getTracerProvider();
  return provider.getDelegateTracer === undefined
    ? provider.getTracer(SCOPE)
    : provider.getDelegateTracer(SCOPE);
}

function linkOf(carrier: TraceContext): Link[] {
  const spanContext = parseTraceContext(carrier);
  return spanContext === undefined ? [] : [{ context: spanContext }];
}
