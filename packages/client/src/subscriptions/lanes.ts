import type { SubscribeParams } from '@esdb-gater/types';
import type { LocalSubscription } from './local-subscription.ts';
import type { OpenOptions, SubscriptionHub } from './subscription-hub.ts';

/** A connection for subscriptions. */
export interface Lane {
  readonly hub: SubscriptionHub;
  close(): Promise<void>;
}

/**
 * The subscriptions of a client. A gateway holds one subscription of a topic for each connection; a second one of
 * the same topic would take the first one's messages away. So it gets a connection of its own, a further lane,
 * which ends with its last subscription.
 */
export class Lanes {
  readonly #first: Lane;
  readonly #open: (onEmpty: () => void) => Lane;
  readonly #further = new Set<Lane>();

  constructor(first: Lane, open: (onEmpty: () => void) => Lane) {
    this.#first = first;
    this.#open = open;
  }

  subscribe(params: SubscribeParams, options: OpenOptions): Promise<LocalSubscription> {
    return this.#laneFor(params).hub.open(params, options);
  }

  /** Ends all subscriptions of a topic. */
  async unsubscribe({
    channel,
    topic,
  }: {
    readonly channel: string;
    readonly topic: string;
  }): Promise<boolean> {
    let removed = false;
    for (const lane of [this.#first, ...this.#further]) {
      const subscription = lane.hub.get(channel, topic);
      if (subscription !== undefined && (await subscription.unsubscribe()).removed) removed = true;
    }
    return removed;
  }

  async close(failure?: { readonly error: unknown }): Promise<void> {
    const lanes = [this.#first, ...this.#further];
    this.#further.clear();
    for (const lane of lanes) lane.hub.close(failure);
    await Promise.all(lanes.map((lane) => lane.close()));
  }

  #laneFor({ channel, topic }: SubscribeParams): Lane {
    for (const lane of [this.#first, ...this.#further]) {
      if (lane.hub.get(channel, topic) === undefined) return lane;
    }
    const lane = this.#open(() => {
      if (this.#further.delete(lane)) void lane.close();
    });
    this.#further.add(lane);
    return lane;
  }
}
