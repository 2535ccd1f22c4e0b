import {
  encodeNotification,
  type ParamsOf,
  type PeerContext,
  RawJson,
  type ResultOf,
} from '@esdb-gater/protocol';
import {
  invalidArgument,
  type JoinedConsumer,
  type NamedSubscription,
  type SubscriptionDelivery,
  type Subscriptions,
} from '@esdb-gater/types';

export interface ConnectionSubscriptionsParts {
  readonly subscriptions: Subscriptions;
  /** Queues a message for the client. */
  readonly send: (text: string) => void;
  /** Returns false while the client does not read what it has got. */
  readonly isReady: () => boolean;
  /** Is called when a subscription has ended for this connection, with its key. */
  readonly onEnded: (key: string) => void;
}

/** The persistent subscriptions that one connection has joined. */
export class ConnectionSubscriptions {
  readonly #parts: ConnectionSubscriptionsParts;
  readonly #joined = new Map<string, Promise<JoinedConsumer>>();
  /** Answers that must go out before events. */
  #held = 0;
  #isClosed = false;

  constructor(parts: ConnectionSubscriptionsParts) {
    this.#parts = parts;
  }

  /** Holds events back until the call is answered: in a batch that comes late. */
  hold(context: PeerContext): void {
    if (!context.batched || context.notification) return;
    this.#held += 1;
    context.afterAnswer(() => {
      this.#held -= 1;
      this.drained();
    });
  }

  async save(params: ParamsOf<'saveSubscription'>, maker: string): Promise<ResultOf<'saveSubscription'>> {
    const key = keyOf(params);
    const former = this.#joined.get(key);
    if (former !== undefined) {
      // Joined already: a repeated call changes nothing, but it must name the same subscription.
      await former;
      return { subscription: await this.#parts.subscriptions.save(params, maker) };
    }
    const joining = this.#parts.subscriptions.join(
      params,
      {
        isReady: () => this.#held === 0 && this.#parts.isReady(),
        deliver: (delivery) => this.#parts.send(eventText(delivery)),
        ended: () => this.#ended(key, joining),
      },
      maker,
    );
    this.#joined.set(key, joining);
    try {
      const joined = await joining;
      if (this.#isClosed) joined.leave(true);
      return { subscription: joined.subscription };
    } catch (error) {
      this.#ended(key, joining);
      throw error;
    }
  }

  async leave(params: NamedSubscription): Promise<ResultOf<'leaveSubscription'>> {
    const key = keyOf(params);
    const joining = this.#joined.get(key);
    if (joining === undefined) return { left: false };
    this.#ended(key, joining);
    const joined = await joining.catch(() => undefined);
    joined?.leave();
    return { left: joined !== undefined };
  }

  async ack(params: ParamsOf<'ackEvent'>): Promise<ResultOf<'ackEvent'>> {
    const joined = await this.#find(params);
    return { checkpoint: await joined.ack(params) };
  }

  async nack({ storeId, name, ...params }: ParamsOf<'nackEvent'>): Promise<ResultOf<'nackEvent'>> {
    const joined = await this.#find({ storeId, name });
    return { checkpoint: await joined.nack(params) };
  }

  /** Is called when the client has read. */
  drained(): void {
    for (const joining of this.#joined.values()) void joining.then((joined) => joined.drained(), noop);
  }

  /** Hands over everything: the connection has ended. */
  close(): void {
    this.#isClosed = true;
    for (const joining of this.#joined.values()) void joining.then((joined) => joined.leave(true), noop);
    this.#joined.clear();
  }

  /** @throws `subscription_not_found`, `invalid_argument` (reason `not_joined`) */
  async #find(named: NamedSubscription): Promise<JoinedConsumer> {
    const joined = await this.#joined.get(keyOf(named));
    if (joined !== undefined) return joined;
    await this.#parts.subscriptions.get(named);
    throw invalidArgument(
      'not_joined',
      `this connection has not joined the subscription ${JSON.stringify(named.name)}`,
    );
  }

  #ended(key: string, joining: Promise<JoinedConsumer>): void {
    if (this.#joined.get(key) !== joining) return;
    this.#joined.delete(key);
    this.#parts.onEnded(key);
  }
}

/** Returns the key of a subscription on a connection. A store id has no space. */
export function keyOf({ storeId, name }: NamedSubscription): string {
  return `persistent ${storeId} ${name}`;
}

function eventText({ storeId, name, eventText: event, attempt }: SubscriptionDelivery): string {
  const head = `{"storeId":${JSON.stringify(storeId)},"name":${JSON.stringify(name)}`;
  return encodeNotification('event', new RawJson(`${head},"event":${event},"attempt":${attempt}}`));
}

function noop(): void {}
