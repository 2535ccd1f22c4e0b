import { attach, detach, isTracing, withDeliverySpan, withSpan } from '@esdb-gater/telemetry';
import type { Broker, BrokerRecord, ChannelName, OutgoingRecord } from '@esdb-gater/types';

export interface TracedBroker extends Broker {
  /** Stops listening to how many a message reaches; the broker itself is closed by who made it. */
  detach(): void;
}

type System = 'esdb_gater' | 'kafka';

/**
 * The broker as the channels see it: what is appended is a PRODUCER span whose context travels with the record, and
 * what is delivered a CONSUMER span linked to it, one for each record. Events of the feed belong to no call, so they
 * are none.
 */
export function traceBroker(broker: Broker, system: System): TracedBroker {
  return new SpanningBroker(broker, system);
}

let made = 0;

class SpanningBroker implements TracedBroker {
  readonly #broker: Broker;
  readonly #system: System;
  readonly #id = `esdb_gater.gateway.deliveries.${++made}`;
  /** Whom the record reached that is being handed over; the event comes before the handler returns. */
  #recipients = 0;
  #listens = false;

  constructor(broker: Broker, system: System) {
    this.#broker = broker;
    this.#system = system;
  }

  append(
    channel: ChannelName,
    record: OutgoingRecord,
    options?: { readonly signal?: AbortSignal },
  ): Promise<{ readonly position?: string }> {
    if (!isTracing() || (record.fed !== undefined && record.traceparent === undefined)) {
      return this.#broker.append(channel, record, options);
    }
    const { traceparent: _, tracestate: __, ...rest } = record;
    const subject = { kind: 'producer', channel, system: this.#system, messageId: record.id } as const;
    const parent = record.traceparent === undefined ? {} : { parent: record };
    return withSpan(subject, parent, (trace) => this.#broker.append(channel, { ...rest, ...trace }, options));
  }

  tail(channel: ChannelName, handler: (batch: readonly BrokerRecord[]) => void): () => void {
    return this.#broker.tail(channel, (batch) => {
      if (isTracing() && batch.some(hasTrace)) this.#deliver(channel, batch, handler);
      else handler(batch);
    });
  }

  position(channel: ChannelName): Promise<string> {
    return this.#broker.position(channel);
  }

  resolve(...args: Parameters<Broker['resolve']>): ReturnType<Broker['resolve']> {
    return this.#broker.resolve(...args);
  }

  read(...args: Parameters<Broker['read']>): ReturnType<Broker['read']> {
    return this.#broker.read(...args);
  }

  caughtUp(channel: ChannelName, after: string, until: string): boolean {
    return this.#broker.caughtUp(channel, after, until);
  }

  tailPosition(channel: ChannelName): string | undefined {
    return this.#broker.tailPosition(channel);
  }

  health(): ReturnType<Broker['health']> {
    return this.#broker.health();
  }

  close(): Promise<void> {
    return this.#broker.close();
  }

  detach(): void {
    detach(this.#id);
  }

  /** One at a time those that have a trace, so that each has its own receivers; the others together, in order. */
  #deliver(
    channel: ChannelName,
    batch: readonly BrokerRecord[],
    handler: (batch: readonly BrokerRecord[]) => void,
  ): void {
    this.#listen();
    let from = 0;
    for (const [index, record] of batch.entries()) {
      if (!hasTrace(record)) continue;
      if (from < index) handler(batch.slice(from, index));
      from = index + 1;
      const subject = { kind: 'consumer', channel, system: this.#system, messageId: record.id } as const;
      withDeliverySpan(subject, record, () => {
        this.#recipients = 0;
        handler([record]);
        return this.#recipients;
      });
    }
    if (from < batch.length) handler(batch.slice(from));
  }

  #listen(): void {
    if (this.#listens) return;
    this.#listens = true;
    attach(this.#id, (event, { recipient_count }) => {
      if (event === 'esdb_gater.channel.broadcast') this.#recipients = recipient_count ?? 0;
    });
  }
}

function hasTrace({ traceparent }: BrokerRecord): boolean {
  return traceparent !== undefined;
}
