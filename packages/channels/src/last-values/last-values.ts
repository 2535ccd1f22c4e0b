import type { TopicMatcher } from '@esdb-gater/primitives';
import type { BrokerRecord } from '@esdb-gater/types';

/** The last message of each topic. */
export interface LastValues {
  readonly size: number;
  readonly maxTopics: number;
  /** Keeps a message that has just arrived. */
  set(record: BrokerRecord): void;
  /** Adds older messages, except on topics that have had one since. */
  addOlder(past: LastValues): void;
  /** Returns the messages whose topic matches, in order of arrival. */
  matching(matcher: TopicMatcher): BrokerRecord[];
}

const ANY: TopicMatcher = () => true;

/**
 * Creates an empty list.
 *
 * @param maxTopics beyond it the topic without a message for the longest time is removed
 */
export function createLastValues(maxTopics: number): LastValues {
  return new RecentTopics(maxTopics);
}

class RecentTopics implements LastValues {
  readonly maxTopics: number;
  /** In the order of each topic's last message. */
  readonly #records = new Map<string, BrokerRecord>();

  constructor(maxTopics: number) {
    this.maxTopics = maxTopics;
  }

  get size(): number {
    return this.#records.size;
  }

  set(record: BrokerRecord): void {
    this.#records.delete(record.topic);
    this.#records.set(record.topic, record);
    if (this.#records.size <= this.maxTopics) return;
    const [oldest] = this.#records.keys();
    if (oldest !== undefined) this.#records.delete(oldest);
  }

  addOlder(past: LastValues): void {
    const newer = this.matching(ANY);
    this.#records.clear();
    for (const record of past.matching(ANY)) this.set(record);
    for (const record of newer) this.set(record);
  }

  matching(matcher: TopicMatcher): BrokerRecord[] {
    return [...this.#records.values()].filter(({ topic }) => matcher(topic));
  }
}
