import type { BrokerRecord, JsonValue } from '@esdb-gater/types';
import type { StorePositions } from './store-positions.ts';

/** A record without its position. */
export type RecordContent = Omit<BrokerRecord, 'position'>;

/** A record whose position becomes text when it is asked for. */
export class MemoryRecord implements BrokerRecord {
  readonly id: string;
  readonly topic: string;
  readonly message: JsonValue;
  readonly time: string;
  readonly traceparent?: string;
  readonly tracestate?: string;
  readonly sequence: number;
  /** How far the stores had been fed, this record included. */
  readonly vector: StorePositions;
  readonly #head: string;

  constructor(from: RecordContent, head: string, sequence: number, vector: StorePositions) {
    this.id = from.id;
    this.topic = from.topic;
    this.message = from.message;
    this.time = from.time;
    if (from.traceparent !== undefined) this.traceparent = from.traceparent;
    if (from.tracestate !== undefined) this.tracestate = from.tracestate;
    this.sequence = sequence;
    this.vector = vector;
    this.#head = head;
  }

  get position(): string {
    return this.#head + this.sequence + this.vector.text();
  }
}
