import type { TopicMatcher } from '@esdb-gater/primitives';
import type { BrokerRecord, JsonValue } from '@esdb-gater/types';

/** The last message of each topic. */
export interface LastValues {
  readonly size: number;
  readonly bounds: LastValuesBounds;
  /** Stores a message that has just arrived. */
  set(record: BrokerRecord): void;
  /** Adds older messages, except on topics that have had one since. */
  addOlder(past: LastValues): void;
  /** Returns the messages whose topic matches, in order of arrival. */
  matching(matcher: TopicMatcher): BrokerRecord[];
}

export interface LastValuesBounds {
  readonly maxTopics: number;
  /** Of the messages as JSON text. */
  readonly maxBytes: number;
}

const ANY: TopicMatcher = () => true;

/** Creates an empty list. Beyond its bounds the topic without a message for the longest time is removed. */
export function createLastValues(bounds: LastValuesBounds): LastValues {
  return new RecentTopics(bounds);
}

class RecentTopics implements LastValues {
  readonly bounds: LastValuesBounds;
  /** In the order of each topic's last message. */
  readonly #values = new Map<string, KeptValue>();
  #bytes = 0;

  constructor(bounds: LastValuesBounds) {
    this.bounds = bounds;
  }

  get size(): number {
    return this.#values.size;
  }

  set(record: BrokerRecord): void {
    this.#set(new KeptValue(record, JSON.stringify(record.message)));
  }

  addOlder(past: LastValues): void {
    const newer = [...this.#values.values()];
    this.#values.clear();
    this.#bytes = 0;
    for (const record of past.matching(ANY)) this.set(record);
    for (const value of newer) this.#set(value);
  }

  matching(matcher: TopicMatcher): BrokerRecord[] {
    return [...this.#values.values()].filter(({ topic }) => matcher(topic));
  }

  #set(value: KeptValue): void {
    this.#delete(value.topic);
    this.#values.set(value.topic, value);
    this.#bytes += value.bytes;
    const { maxTopics, maxBytes } = this.bounds;
    while (this.#values.size > maxTopics || this.#bytes > maxBytes) {
      const [oldest] = this.#values.keys();
      if (oldest === undefined) return;
      this.#delete(oldest);
    }
  }

  #delete(topic: string): void {
    this.#bytes -= this.#values.get(topic)?.bytes ?? 0;
    this.#values.delete(topic);
  }
}

/** A message as JSON text: parsed, it can take more than ten times the memory. Each reader parses it anew. */
class KeptValue implements BrokerRecord {
  readonly id: string;
  readonly topic: string;
  readonly time: string;
  readonly position: string;
  readonly bytes: number;
  readonly #text: string;

  constructor({ id, topic, time, position }: Omit<BrokerRecord, 'message'>, text: string) {
    this.id = id;
    this.topic = topic;
    this.time = time;
    this.position = position;
    this.bytes = Buffer.byteLength(text) + topic.length;
    this.#text = text;
  }

  get message(): JsonValue {
    return JSON.parse(this.#text) as JsonValue;
  }
}
