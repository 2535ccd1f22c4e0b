import type { SubscribeParams } from '@esdb-gater/types';
import type { MessageSubscription } from './message-subscription.ts';
import type { OpenOptions, SubscriptionHub } from './subscription-hub.ts';

/** A connection that carries subscriptions. */
export interface SubscriptionConnection {
  readonly hub: SubscriptionHub;
  close(): Promise<void>;
}

/**
 * The subscriptions of a client. A gateway holds one subscription per topic and connection, and a second one would
 * replace the first. So a second subscription to the same topic gets a further connection, which closes with its last
 * subscription.
 */
export class SubscriptionPool {
  readonly #first: SubscriptionConnection;
  readonly #open: (onEmpty: () => void) => SubscriptionConnection;
  readonly #further = new Set<SubscriptionConnection>();

  constructor(first: SubscriptionConnection, open: (onEmpty: () => void) => SubscriptionConnection) {
    this.#first = first;
    this.#open = open;
  }

  /** Subscribes. `Message` is what the program says the messages are; nothing checks it. */
  subscribe<Message>(params: SubscribeParams, options: OpenOptions): Promise<MessageSubscription<Message>> {
    const opening: Promise<MessageSubscription<unknown>> = this.#connectionFor(params).hub.open(
      params,
      options,
    );
    return opening as Promise<MessageSubscription<Message>>;
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
    for (const connection of [this.#first, ...this.#further]) {
      const subscription = connection.hub.get(channel, topic);
      if (subscription !== undefined && (await subscription.unsubscribe()).removed) removed = true;
    }
    return removed;
  }

  async close(failure?: { readonly error: unknown }): Promise<void> {
    const connections = [this.#first, ...this.#further];
    this.#further.clear();
    for (const connection of connections) connection.hub.close(failure);
    await Promise.all(connections.map((connection) => connection.close()));
  }

  #connectionFor({ channel, topic }: SubscribeParams): SubscriptionConnection {
    for (const connection of [this.#first, ...this.#further]) {
      if (connection.hub.get(channel, topic) === undefined) return connection;
    }
    const connection = this.#open(() => {
      if (this.#further.delete(connection)) void connection.close();
    });
    this.#further.add(connection);
    return connection;
  }
}
