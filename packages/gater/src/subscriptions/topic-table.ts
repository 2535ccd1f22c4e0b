import { topicMatches } from '@esdb-gater/primitives';
import type { ChannelProgress, LocalSubscription } from './local-subscription.ts';

function isPattern(topic: string): boolean {
  return topic.includes('*') || topic.includes('>');
}

/** The subscriptions of one channel, at most one for each topic or pattern. */
export class TopicTable implements ChannelProgress {
  count = 0;
  position: string | undefined;
  readonly #exact = new Map<string, LocalSubscription>();
  readonly #patterns = new Map<string, LocalSubscription>();

  get size(): number {
    return this.#exact.size + this.#patterns.size;
  }

  get(topic: string): LocalSubscription | undefined {
    return this.#exact.get(topic) ?? this.#patterns.get(topic);
  }

  add(subscription: LocalSubscription): void {
    (isPattern(subscription.topic) ? this.#patterns : this.#exact).set(subscription.topic, subscription);
  }

  delete(topic: string): void {
    this.#exact.delete(topic);
    this.#patterns.delete(topic);
  }

  *[Symbol.iterator](): IterableIterator<LocalSubscription> {
    yield* this.#exact.values();
    yield* this.#patterns.values();
  }

  /** Counts a live message. */
  advance(position: string): void {
    this.count++;
    this.position = position;
  }

  /** Calls `take` for every subscription whose topic matches. Costs one look-up, and one match for each pattern. */
  match(topic: string, take: (subscription: LocalSubscription) => void): void {
    const exact = this.#exact.get(topic);
    if (exact !== undefined) take(exact);
    for (const subscription of this.#patterns.values()) {
      if (topicMatches(subscription.topic, topic)) take(subscription);
    }
  }
}
