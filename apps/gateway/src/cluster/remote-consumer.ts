import { onNextTurn } from '@esdb-gater/primitives';
import { PEER_NOTIFICATIONS } from '@esdb-gater/protocol';
import {
  GaterError,
  type JoinedConsumer,
  type SaveSubscriptionParams,
  type Subscription,
  type SubscriptionConsumer,
} from '@esdb-gater/types';
import type { PeerLink } from './peer-link.ts';
import { type ConsumerEvent, SUBSCRIPTION_METHOD, type SubscriptionCall } from './subscription-calls.ts';

/** How long the other node may take for an acknowledgement. */
const CALL_TIMEOUT_MS = 5_000;

/** A consumer of this node in a subscription that another node serves. */
export class RemoteConsumer implements JoinedConsumer {
  readonly id: string;
  readonly #link: PeerLink;
  readonly #params: SaveSubscriptionParams;
  readonly #consumer: SubscriptionConsumer;
  readonly #letGo: () => void;
  readonly #onEnded: () => void;
  /** Events that the connection does not take yet: as many as it may have unacknowledged. */
  readonly #waiting: ConsumerEvent[] = [];
  #subscription: Subscription | undefined;
  /** False until the caller of `join` has had a turn to answer: events follow the answer. */
  #isLive = false;
  #saidReady = true;
  #isOver = false;

  constructor(
    id: string,
    link: PeerLink,
    params: SaveSubscriptionParams,
    consumer: SubscriptionConsumer,
    onEnded: () => void,
  ) {
    this.id = id;
    this.#link = link;
    this.#params = params;
    this.#consumer = consumer;
    this.#onEnded = onEnded;
    this.#letGo = link.hold();
  }

  get subscription(): Subscription {
    if (this.#subscription === undefined) throw new GaterError('internal', 'the consumer has not joined yet');
    return this.#subscription;
  }

  /** @throws the error of the other node */
  async join(maker: string): Promise<void> {
    try {
      const result = await this.#call({
        operation: 'join',
        consumerId: this.id,
        params: this.#params,
        maker,
      });
      this.#subscription = (result as { readonly subscription: Subscription }).subscription;
    } catch (error) {
      this.#over();
      throw error;
    }
    onNextTurn(() => {
      this.#isLive = true;
      this.drained();
    });
  }

  /** Takes an event of the other node. */
  event(event: ConsumerEvent): void {
    if (this.#isOver) return;
    this.#waiting.push(event);
    this.drained();
  }

  /** The subscription has ended, or the link to its node. */
  ended(error: GaterError): void {
    if (this.#isOver) return;
    const hasJoined = this.#subscription !== undefined;
    this.#over();
    // Otherwise the call that joins fails.
    if (hasJoined) this.#consumer.ended(error);
  }

  async ack(params: Parameters<JoinedConsumer['ack']>[0]): Promise<number> {
    const { streamId, eventNumber, upTo = false } = params;
    return this.#checkpoint({
      operation: 'ack',
      consumerId: this.id,
      params: { streamId, eventNumber, upTo },
    });
  }

  async nack(params: Parameters<JoinedConsumer['nack']>[0]): Promise<number> {
    return this.#checkpoint({ operation: 'nack', consumerId: this.id, params });
  }

  drained(): void {
    const { storeId, name } = this.#params;
    while (this.#isLive && !this.#isOver) {
      const isReady = this.#consumer.isReady?.() ?? true;
      const [next] = this.#waiting;
      if (!isReady || next === undefined) {
        this.#say(isReady);
        return;
      }
      this.#waiting.shift();
      const { eventText, attempt } = next;
      this.#consumer.deliver({ storeId, name, eventText, attempt });
    }
  }

  leave(lost = false): void {
    if (this.#isOver) return;
    this.#over();
    // A link that breaks has the same effect.
    this.#call({ operation: 'leave', consumerId: this.id, lost }).catch(() => {});
  }

  #say(ready: boolean): void {
    if (ready === this.#saidReady) return;
    this.#saidReady = ready;
    this.#link.send(PEER_NOTIFICATIONS.consumerReady, { consumerId: this.id, ready });
  }

  async #checkpoint(call: SubscriptionCall): Promise<number> {
    if (this.#isOver) throw new GaterError('unavailable', 'the subscription has ended here; join it again');
    return ((await this.#call(call)) as { readonly value: number }).value;
  }

  #call(call: SubscriptionCall): Promise<unknown> {
    return this.#link.call(SUBSCRIPTION_METHOD, call, { timeoutMs: CALL_TIMEOUT_MS });
  }

  #over(): void {
    this.#isOver = true;
    this.#waiting.length = 0;
    this.#letGo();
    this.#onEnded();
  }
}
