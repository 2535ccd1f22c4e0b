import type { Broker, BrokerRecord, ChannelName, Delivery } from '@esdb-gater/types';
import type { Channel, PendingSubscription, Recipient } from '../channel.ts';

/**
 * Buffers the messages of a `latest` subscription while the broker determines its position: a message that arrives
 * meanwhile may be older or newer than the call.
 */
export interface StartBuffer {
  /** True when nothing was buffered. */
  readonly empty: boolean;
  /** Stops buffering, and returns the messages after the position, in order. */
  release(broker: Pick<Broker, 'caughtUp'>, after: string): readonly Delivery[];
  /** Stops buffering. */
  close(): void;
}

/** The channel of the feeds, which publish straight to the broker. */
const FED_CHANNEL: ChannelName = 'events';

/**
 * Starts to buffer.
 *
 * @param recipient a message that another of its subscriptions gets already is not buffered
 * @param nowMs the time of the call
 */
export function createStartBuffer(
  channel: Channel,
  topic: string,
  recipient: Recipient,
  nowMs: number,
): StartBuffer {
  return new BufferingRecipient(channel, topic, recipient, Math.floor(nowMs));
}

class BufferingRecipient implements StartBuffer, Recipient, PendingSubscription {
  readonly queue: Recipient['queue'];
  readonly #channel: Channel;
  readonly #topic: string;
  readonly #calledMs: number;
  readonly #buffered: Delivery[] = [];
  /** Ids of messages that this process published after the call. */
  readonly #since = new Set<string>();

  constructor(channel: Channel, topic: string, recipient: Recipient, calledMs: number) {
    this.#channel = channel;
    this.#topic = topic;
    this.#calledMs = calledMs;
    const isMissed = ({ notice }: Delivery): boolean =>
      !channel.index.match((notice.params as BrokerRecord).topic).includes(recipient);
    this.queue = {
      offer: (delivery) => {
        if (isMissed(delivery)) this.#buffered.push(delivery);
      },
      shed: (delivery) => {
        if (isMissed(delivery)) recipient.queue.shed(delivery);
      },
    };
    channel.index.add(topic, this);
    channel.pending.add(this);
  }

  get empty(): boolean {
    return this.#buffered.length === 0;
  }

  release(broker: Pick<Broker, 'caughtUp'>, after: string): readonly Delivery[] {
    this.close();
    const { name } = this.#channel;
    return this.#buffered.filter(({ notice }) => {
      const record = notice.params as BrokerRecord;
      return !broker.caughtUp(name, after, record.position) || this.#isSince(record);
    });
  }

  published(id: string): void {
    this.#since.add(id);
  }

  /** A message after the call may have overtaken the request, so that it is before the returned position. */
  #isSince({ id, time }: BrokerRecord): boolean {
    if (this.#since.has(id)) return true;
    return this.#channel.name === FED_CHANNEL && Date.parse(time) >= this.#calledMs;
  }

  close(): void {
    this.#channel.pending.delete(this);
    this.#channel.index.delete(this.#topic, this);
  }
}
