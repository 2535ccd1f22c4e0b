import { encodeNotification, type ParamsOf, type PeerContext, type ResultOf } from '@esdb-gater/protocol';
import {
  type GaterError,
  invalidArgument,
  type JoinedConsumer,
  type NamedSubscription,
  RawJson,
  type SubscriptionDelivery,
  type Subscriptions,
} from '@esdb-gater/types';
import type { OutboundBudget } from '../access/outbound-budget.ts';
import type { FrameWriter } from './frame-writer.ts';

export interface ConnectionSubscriptionsParts {
  readonly subscriptions: Subscriptions;
  readonly writer: Pick<FrameWriter, 'text' | 'bufferedBytes'>;
  readonly outbound: Pick<OutboundBudget, 'hasRoom' | 'whenRoom' | 'wrote'>;
  /** Is called when a subscription has ended for this connection, with its key. */
  readonly onEnded: (key: string) => void;
}

/** Unsent bytes at which the events wait. */
const MAX_UNSENT_BYTES = 524_288;

/** The persistent subscriptions that one connection has joined. */
export class ConnectionSubscriptions {
  readonly #parts: ConnectionSubscriptionsParts;
  readonly #joined = new Map<string, Promise<JoinedConsumer>>();
  /** Answers that must go out before events. */
  #held = 0;
  #isClosed = false;
  #waitsForRoom = false;

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
        isReady: () => this.#held === 0 && this.#isReady(),
        deliver: (delivery) => this.#deliver(delivery),
        ended: (error) => this.#endedBy(error, params, key, joining),
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

  #deliver({ storeId, name, eventText, attempt }: SubscriptionDelivery): void {
    const { writer, outbound } = this.#parts;
    outbound.wrote(eventText.length);
    const head = `{"storeId":${JSON.stringify(storeId)},"name":${JSON.stringify(name)}`;
    const params = `${head},"event":${eventText},"attempt":${attempt}}`;
    writer.text(encodeNotification('event', new RawJson(params)));
  }

  /** Returns false while the client does not read what it has got, or the gateway holds too much for all clients. */
  #isReady(): boolean {
    const { writer, outbound } = this.#parts;
    const unsent = writer.bufferedBytes();
    if (unsent >= MAX_UNSENT_BYTES) return false;
    const hasRoom = outbound.hasRoom(unsent > 0);
    // With output in the socket its `drain` is certain to come.
    if (!hasRoom && unsent === 0) this.#waitForRoom();
    return hasRoom;
  }

  #waitForRoom(): void {
    if (this.#waitsForRoom || this.#isClosed) return;
    this.#waitsForRoom = true;
    this.#parts.outbound.whenRoom(() => {
      this.#waitsForRoom = false;
      this.drained();
    });
  }

  /** Tells the client, which must not wait for ever. */
  #endedBy(
    { code, message }: GaterError,
    { storeId, name }: NamedSubscription,
    key: string,
    joining: Promise<JoinedConsumer>,
  ): void {
    this.#ended(key, joining);
    this.#parts.writer.text(encodeNotification('subscriptionEnded', { storeId, name, code, message }));
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

function noop(): void {}
