import { isTracing, withDeliverySpan, withSpan } from '@esdb-gater/telemetry';
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
 * CONSUMER span that is linked to its publish; the others are delivered together, in the same order.
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
    withDeliverySpan(subject, record, () => fanOut([record]));
  }
  if (from < batch.length) fanOut(batch.slice(from));
}

function hasTrace({ traceparent }: BrokerRecord): boolean {
  return traceparent !== undefined;
}
