import type { TopicMatcher } from '@esdb-gater/primitives';
import type { BrokerRecord } from '@esdb-gater/types';

/** The last message of each topic. */
export interface LastValues {
  readonly size: number;
  readonly maxTopics: number;
  /** A message that came just now. */
  set(record: BrokerRecord): void;
  /** Adds those of the past, unless their topic has been heard since. */
  warm(past: LastValues): void;
  /** Those whose topic matches, in the order in which they came. */
  matching(matcher: TopicMatcher): BrokerRecord[];
}

const ANY: TopicMatcher = () => true;

/** @param maxTopics when there are more, the topic that was unheard longest goes */
export function createLastValues(maxTopics: number): LastValues {
  return new RecentTopics(maxTopics);
}

class RecentTopics implements LastValues {
  readonly maxTopics: number;
  /** In the order in which the topics were last heard. */
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
    const [unheard] = this.#records.keys();
    if (unheard !== undefined) this.#records.delete(unheard);
  }

  warm(past: LastValues): void {
    const newer = this.matching(ANY);
    this.#records.clear();
    for (const record of past.matching(ANY)) this.set(record);
    for (const record of newer) this.set(record);
  }

  matching(matcher: TopicMatcher): BrokerRecord[] {
    return [...this.#records.values()].filter(({ topic }) => matcher(topic));
  }
}
