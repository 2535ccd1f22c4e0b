import type { BrokerRecord, ChannelName } from '@esdb-gater/types';
import type { DeadLetters } from './dead-letters.ts';
import { decodeIncoming, type IncomingMessage } from './decode-record.ts';
import type { RecentSet } from './recent-set.ts';
import type { DamagedBatch, KafkaRecord } from './record-set.ts';

/**
 * Whether a record that came in may be delivered: `true`, or why not, in a word or two that becomes the header
 * `esdb_error` of its dead letter. It is asked for every record of the channel, so it must be fast; one that throws
 * refuses.
 */
export type Accept = (
  channel: ChannelName,
  record: BrokerRecord,
  context: { readonly kafkaTimeMs: number },
) => true | string;

export interface InterpreterComponents {
  readonly deadLetters: DeadLetters;
  readonly accept: Accept | undefined;
}

/** A partition of a channel, and how its positions are written. */
export interface Place {
  readonly channel: ChannelName;
  readonly kafkaTopic: string;
  readonly partition: number;
  /** The position after the record before this offset. */
  readonly positionAt: (offset: number) => string;
}

/** Makes what lies in Kafka into what subscribers get; what cannot be understood goes to the dead letters. */
export class Interpreter {
  readonly #components: InterpreterComponents;
  #duplicates = 0;

  constructor(components: InterpreterComponents) {
    this.#components = components;
  }

  /** Records left out because they had come before. */
  get duplicates(): number {
    return this.#duplicates;
  }

  read(place: Place, records: readonly KafkaRecord[], known: RecentSet): BrokerRecord[] {
    const messages: BrokerRecord[] = [];
    for (const record of records) {
      const decoded = decodeIncoming(record, place.kafkaTopic, place.partition);
      if (typeof decoded === 'string') {
        this.#components.deadLetters.add(place, record, decoded);
        continue;
      }
      const message = brokerRecord(decoded, place.positionAt(record.offset + 1));
      const verdict = this.#verdict(place.channel, message, record);
      if (verdict !== true) this.#components.deadLetters.add(place, record, verdict);
      // Asked last: what was refused must not make the real one look like a duplicate.
      else if (decoded.identity === undefined || known.add(decoded.identity)) messages.push(message);
      else this.#duplicates += 1;
    }
    return messages;
  }

  damaged(place: Omit<Place, 'positionAt'>, batch: DamagedBatch): void {
    this.#components.deadLetters.addDamaged(place, batch);
  }

  #verdict(channel: ChannelName, message: BrokerRecord, record: KafkaRecord): true | string {
    const { accept } = this.#components;
    if (accept === undefined) return true;
    try {
      return accept(channel, message, { kafkaTimeMs: record.timestampMs });
    } catch {
      return 'check_failed';
    }
  }
}

function brokerRecord(decoded: IncomingMessage, position: string): BrokerRecord {
  const { id, topic, message, time, traceparent, tracestate } = decoded;
  return {
    id,
    topic,
    message,
    time,
    position,
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(tracestate === undefined ? {} : { tracestate }),
  };
}
