import type { RemoteGater } from '@esdb-gater/client';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { OtlpReceiver } from './otlp-receiver.ts';

/** The kinds of spans as OTLP numbers them. */
export const SPAN_KINDS = ['', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'] as const;

/** A span of any process, in one shape. */
export interface TraceSpan {
  /** The process: a node's id, or `client`. */
  readonly process: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for the first span of a trace. */
  readonly parentSpanId: string;
  readonly kind: (typeof SPAN_KINDS)[number];
  readonly name: string;
  /** Unix microseconds. */
  readonly startUs: number;
  readonly endUs: number;
}

/** The store of {@link tracedCalls}. */
export const TRACED_STORE = 'orders';

/**
 * Appends an event through one client; another one receives it from the channel `events`, and stores a snapshot in the
 * trace of the message, as a projection does.
 */
export async function tracedCalls(sender: RemoteGater, subscriber: RemoteGater): Promise<void> {
  const storeId = TRACED_STORE;
  await using messages = await subscriber.subscribe({
    channel: 'events',
    topic: `${storeId}.order-1.order_placed`,
  });
  await sender.appendEvents({
    storeId,
    streamId: 'order-1',
    events: [{ type: 'order_placed', data: { total: 42 } }],
  });
  for await (const { traceparent, tracestate } of messages) {
    if (traceparent === undefined) throw new Error('the message must have the trace of its delivery');
    await subscriber.recordSnapshot(
      { storeId, sourceUuid: 'order-1', streamUuid: 'totals', version: 0, record: { total: 42 } },
      tracestate === undefined ? { traceparent } : { traceparent, tracestate },
    );
    break;
  }
}

/** The spans that a node has exported. */
export function receivedSpans(process: string, { spans }: OtlpReceiver): TraceSpan[] {
  return spans.map((span) => ({
    process,
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId,
    kind: SPAN_KINDS[span.kind] ?? '',
    name: span.name,
    startUs: Number(span.startTimeUnixNano) / 1_000,
    endUs: Number(span.endTimeUnixNano) / 1_000,
  }));
}

/** The spans of this process. */
export function ownSpans(process: string, spans: readonly ReadableSpan[]): TraceSpan[] {
  return spans.map((span) => ({
    process,
    traceId: span.spanContext().traceId,
    spanId: span.spanContext().spanId,
    parentSpanId: span.parentSpanContext?.spanId ?? '',
    // The API counts from INTERNAL as 0, OTLP from UNSPECIFIED.
    kind: SPAN_KINDS[span.kind + 1] ?? '',
    name: span.name,
    startUs: span.startTime[0] * 1e6 + span.startTime[1] / 1_000,
    endUs: span.endTime[0] * 1e6 + span.endTime[1] / 1_000,
  }));
}

/** The spans of a trace, each indented below its parent; children in the order of their start. */
export function traceTree(
  spans: readonly TraceSpan[],
): { readonly span: TraceSpan; readonly depth: number }[] {
  const below = (parent: string, depth: number): { span: TraceSpan; depth: number }[] =>
    spans
      .filter(({ parentSpanId }) => parentSpanId === parent)
      .toSorted((one, other) => one.startUs - other.startUs)
      .flatMap((span) => [{ span, depth }, ...below(span.spanId, depth + 1)]);
  return below('', 0);
}

/** The lines of {@link traceTree} as text: process, kind and name. */
export function traceLines(spans: readonly TraceSpan[]): string[] {
  return traceTree(spans).map(
    ({ span: { process, kind, name }, depth }) => `${'  '.repeat(depth)}${process} ${kind} ${name}`,
  );
}
