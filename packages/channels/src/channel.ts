import type {
  BrokerRecord,
  ChannelInfo,
  ChannelName,
  ChannelSettings,
  Clock,
  Delivery,
} from '@esdb-gater/types';
import type { DeliveryQueue } from './delivery/delivery-queue.ts';
import { createDelivery } from './delivery/shared-delivery.ts';
import { createLastValues, type LastValues, type LastValuesBounds } from './last-values/last-values.ts';
import { createRateMeter, type RateMeter } from './rate-meter.ts';
import { createTopicIndex, type TopicIndex } from './topics/topic-index.ts';

/** The part of a subscriber that a channel uses. */
export interface Recipient {
  readonly queue: Pick<DeliveryQueue, 'offer' | 'shed'>;
}

/** A subscription that waits for its start position from the broker. */
export interface PendingSubscription {
  /** Called when a message with this id is sent to the broker. */
  published(id: string): void;
}

export interface ChannelComponents {
  readonly clock: Clock;
  /** Returns false for a record that must not be delivered. */
  readonly accepts: (channel: ChannelName, record: BrokerRecord) => boolean;
  /** Returns true while the process is behind, when messages of low priority are dropped. */
  readonly overloaded: () => boolean;
  /** Is called with the number of recipients of each message. */
  readonly onBroadcast: (channel: ChannelName, topic: string, recipients: number) => void;
}

/** One of the ten channels: its subscriptions, and the fan-out of the broker's records. */
export interface Channel {
  readonly name: ChannelName;
  readonly settings: ChannelSettings;
  /** The live subscriptions, and the buffers of pending ones. A subscription that still replays is not in it. */
  readonly index: TopicIndex<Recipient>;
  readonly pending: Set<PendingSubscription>;
  /** The last message of each topic, if the channel keeps them. */
  readonly lastValues: LastValues | undefined;
  /** Increments or decrements the subscriptions of a subscriber, live or replaying. */
  countSubscription(recipient: Recipient, difference: 1 | -1): void;
  /** Delivers records to all live subscribers, and returns the number of deliveries. */
  fanOut(batch: readonly BrokerRecord[]): number;
  /** Returns a promise of the next {@link fanOut}, and a function that stops waiting. */
  nextFanOut(): { readonly promise: Promise<void>; cancel(): void };
  /** Counts messages that reached queues by another way than {@link fanOut}. */
  countDelivered(count: number): void;
  countDropped(): void;
  /** Returns false for a record that must not be delivered. */
  accepts(record: BrokerRecord): boolean;
  info(): ChannelInfo;
}

/**
 * Creates a channel without subscriptions.
 *
 * @param lastValues the bounds of the last values; undefined for a channel that does not keep them
 */
export function createChannel(
  name: ChannelName,
  settings: ChannelSettings,
  components: ChannelComponents,
  lastValues?: LastValuesBounds,
): Channel {
  return new FanOutChannel(name, settings, components, lastValues);
}

class FanOutChannel implements Channel {
  readonly name: ChannelName;
  readonly settings: ChannelSettings;
  readonly index: TopicIndex<Recipient> = createTopicIndex();
  readonly pending: Set<PendingSubscription> = new Set();
  readonly lastValues: LastValues | undefined;
  readonly #components: ChannelComponents;
  readonly #subscriptions = new Map<Recipient, number>();
  readonly #published: RateMeter = createRateMeter();
  readonly #delivered: RateMeter = createRateMeter();
  readonly #fanOutWaiters = new Set<() => void>();
  #dropped = 0;

  constructor(
    name: ChannelName,
    settings: ChannelSettings,
    components: ChannelComponents,
    lastValues: LastValuesBounds | undefined,
  ) {
    this.name = name;
    this.settings = settings;
    this.#components = components;
    this.lastValues = lastValues && createLastValues(lastValues);
  }

  countSubscription(recipient: Recipient, difference: 1 | -1): void {
    const count = (this.#subscriptions.get(recipient) ?? 0) + difference;
    if (count > 0) this.#subscriptions.set(recipient, count);
    else this.#subscriptions.delete(recipient);
  }

  fanOut(batch: readonly BrokerRecord[]): number {
    const now = this.#components.clock.monotonic();
    const mayShed = this.settings.priority === 'low' && this.#components.overloaded();
    let reached = 0;
    let delivered = 0;
    for (const record of batch) {
      if (!this.accepts(record)) continue;
      this.lastValues?.set(record);
      const recipients = this.index.match(record.topic);
      if (recipients.length > 0) {
        const delivery = this.#deliveryOf(record);
        for (const { queue } of recipients) {
          if (mayShed) queue.shed(delivery);
          else queue.offer(delivery);
        }
        reached += recipients.length;
        if (!mayShed) delivered += recipients.length;
      }
      this.#components.onBroadcast(this.name, record.topic, recipients.length);
    }
    this.#published.add(batch.length, now);
    if (delivered > 0) this.#delivered.add(delivered, now);
    if (this.#fanOutWaiters.size > 0) for (const wake of this.#fanOutWaiters) wake();
    return reached;
  }

  nextFanOut(): { readonly promise: Promise<void>; cancel(): void } {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#fanOutWaiters.add(resolve);
    return { promise, cancel: () => void this.#fanOutWaiters.delete(resolve) };
  }

  countDelivered(count: number): void {
    this.#delivered.add(count, this.#components.clock.monotonic());
  }

  countDropped(): void {
    this.#dropped++;
  }

  accepts(record: BrokerRecord): boolean {
    return this.#components.accepts(this.name, record);
  }

  info(): ChannelInfo {
    const { maxRate, ...settings } = this.settings;
    const now = this.#components.clock.monotonic();
    return {
      name: this.name,
      ...settings,
      ...(maxRate === undefined ? {} : { maxRate }),
      subscribers: this.#subscriptions.size,
      publishedPerSecond: this.#published.perSecond(now),
      deliveredPerSecond: this.#delivered.perSecond(now),
      dropped: this.#dropped,
    };
  }

  #deliveryOf(record: BrokerRecord): Delivery {
    const { topic, id, time, position, message, messageText, traceparent, tracestate } = record;
    const params = { channel: this.name, topic, id, time, position, message };
    const text = messageText === undefined ? undefined : { messageText };
    if (traceparent === undefined) {
      return createDelivery({ method: 'message', params, ...text }, this.settings.priority);
    }
    const trace = tracestate === undefined ? { traceparent } : { traceparent, tracestate };
    return createDelivery({ method: 'message', params, ...text, trace }, this.settings.priority);
  }
}
