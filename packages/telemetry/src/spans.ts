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
   * Whose child the span is. Without a valid one a span of what is served or consumed begins a trace.
   * @default the active span of this process, for all other kinds
   */
  readonly parent?: TraceContext;
  /** What else it has to do with: the messages of a batch, the publish that a delivery comes from. */
  readonly links?: readonly TraceContext[];
}

/** False while no SDK is registered: then there are no spans, and what prepares them can be left out. */
export function isTracing(): boolean {
  return registeredTracer() !== undefined;
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
  // What comes from outside belongs to the trace that it names, never to what happens to be active here.
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
 * Hands a message over in a CONSUMER span that is linked to its publish, and is no part of that trace: one message
 * may reach many nodes, and each may take its time. There is one span for all receivers, and none when `deliver`
 * says that there were 0, when the publish was not sampled, or without an SDK.
 *
 * @param deliver returns the number of receivers
 */
export function withDeliverySpan(
  subject: MessagingSubject & { readonly kind: 'consumer' },
  publish: TraceContext,
  deliver: () => number,
): void {
  const tracer = registeredTracer();
  const linked = tracer === undefined ? undefined : parseTraceContext(publish);
  if (tracer === undefined || linked === undefined || (linked.traceFlags & TraceFlags.SAMPLED) === 0) {
    deliver();
    return;
  }
  const options = {
    kind: spanKind(subject),
    attributes: spanAttributes(subject),
    links: [{ context: linked }],
  };
  const span = tracer.startSpan(spanName(subject), options, ROOT_CONTEXT);
  const recipients = context.with(trace.setSpan(ROOT_CONTEXT, span), deliver);
  // A span that never ends is never exported.
  if (recipients > 0) span.setAttribute(RECIPIENTS, recipients).end();
}

function beginsHere({ kind }: SpanSubject): boolean {
  return kind !== 'server' && kind !== 'consumer';
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

function linkOf(carrier: TraceContext): Link[] {
  const spanContext = parseTraceContext(carrier);
  return spanContext === undefined ? [] : [{ context: spanContext }];
}
