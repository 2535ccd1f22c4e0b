import { isTracing, type TraceCarrier, withDeliverySpan, withSpan } from '@esdb-gater/telemetry';
import type { Broker, BrokerRecord, ChannelName, OutgoingRecord } from '@esdb-gater/types';

/** The messaging system, as named in the spans. */
export type MessagingSystem = 'esdb_gater' | 'kafka';

/**
 * Appends a published record in a PRODUCER span, and adds the context of the span to the record. Without an
 * OpenTelemetry SDK the record keeps its original context.
 */
export function appendTraced(
  { broker, system }: { readonly broker: Pick<Broker, 'append'>; readonly system: MessagingSystem },
  channel: ChannelName,
  record: OutgoingRecord,
  options: { readonly signal?: AbortSignal },
): ReturnType<Broker['append']> {
  if (!isTracing()) return broker.append(channel, record, options);
  const { traceparent: _, tracestate: __, ...rest } = record;
  const subject = { kind: 'producer', channel, system, messageId: record.id } as const;
  const parent = record.traceparent === undefined ? {} : { parent: record };
  return withSpan(subject, parent, (trace) => broker.append(channel, { ...rest, ...trace }, options));
}

/**
 * Hands records over by `fanOut`, which returns how many got them. A record with a trace is delivered separately, in a
 * CONSUMER span that is a child of its publish, and is passed on with the context of that span; the others are delivered
 * together, in the same order.
 */
export function deliverTraced(
  system: MessagingSystem,
  channel: ChannelName,
  batch: readonly BrokerRecord[],
  fanOut: (batch: readonly BrokerRecord[]) => number,
): void {
  if (!isTracing() || !batch.some(hasTrace)) {
    fanOut(batch);
    return;
  }
  let from = 0;
  for (const [index, record] of batch.entries()) {
    if (!hasTrace(record)) continue;
    if (from < index) fanOut(batch.slice(from, index));
    from = index + 1;
    const subject = { kind: 'consumer', channel, system, messageId: record.id } as const;
    withDeliverySpan(subject, record, (trace) => fanOut([withTrace(record, trace)]));
  }
  if (from < batch.length) fanOut(batch.slice(from));
}

/** The same record, with the context of its delivery in place of that of its publish. */
function withTrace(record: BrokerRecord, trace: TraceCarrier): BrokerRecord {
  if (trace.traceparent === record.traceparent) return record;
  // Member by member: a broker may compute them when they are asked for.
  const { id, topic, message, time, position } = record;
  return { id, topic, message, time, position, ...trace };
}

function hasTrace({ traceparent }: BrokerRecord): boolean {
  return traceparent !== undefined;
}
