import type { BrokerRecord, JsonValue } from '@esdb-gater/types';
import type { StorePositions } from './store-positions.ts';

/** A record without its position. */
export type RecordContent = Omit<BrokerRecord, 'position'>;

/** Where a record is in its channel. The position becomes text when it is first asked for. */
export interface RecordPlace {
  /** The common prefix of the channel's positions. */
  readonly head: string;
  readonly sequence: number;
  /** How far the stores were fed, this record included. */
  readonly stores: StorePositions;
}

abstract class PlacedRecord {
  readonly id: string;
  readonly topic: string;
  readonly time: string;
  readonly traceparent?: string;
  readonly tracestate?: string;
  readonly sequence: number;
  readonly stores: StorePositions;
  readonly #head: string;

  constructor(from: Omit<RecordContent, 'message'>, { head, sequence, stores }: RecordPlace) {
    this.id = from.id;
    this.topic = from.topic;
    this.time = from.time;
    if (from.traceparent !== undefined) this.traceparent = from.traceparent;
    if (from.tracestate !== undefined) this.tracestate = from.tracestate;
    this.sequence = sequence;
    this.stores = stores;
    this.#head = head;
  }

  get position(): string {
    return this.#head + this.sequence + this.stores.text();
  }
}

/** A record on its way to readers. */
export class MemoryRecord extends PlacedRecord implements BrokerRecord {
  readonly message: JsonValue;
  readonly messageText?: string;

  /** @param messageText the message as JSON, where it has been encoded already */
  constructor(from: RecordContent, place: RecordPlace, messageText?: string) {
    super(from, place);
    this.message = from.message;
    if (messageText !== undefined) this.messageText = messageText;
  }
}

/**
 * A stored record, with its message as JSON text: a parsed message can take more than ten times the memory. Each reader
 * parses it anew.
 */
export class KeptRecord extends PlacedRecord implements BrokerRecord {
  readonly text: string;
  /** Of the text, as UTF-8. */
  readonly bytes: number;

  constructor(from: Omit<RecordContent, 'message'>, text: string, place: RecordPlace) {
    super(from, place);
    this.text = text;
    this.bytes = Buffer.byteLength(text);
  }

  get message(): JsonValue {
    return JSON.parse(this.text) as JsonValue;
  }
}
