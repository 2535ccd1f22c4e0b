import type { Broker, BrokerRecord, ChannelName, Delivery } from '@esdb-gater/types';
import type { Channel, Recipient, Starting } from '../channel.ts';

/**
 * Stands in a channel's index in the place of a subscription that begins with what is new, while the broker is asked
 * where that is, and keeps what comes meanwhile: it may be older than the call, or newer.
 */
export interface HeldStart {
  /** True when nothing was kept. */
  readonly empty: boolean;
  /** Stops keeping, and gives what came and lies after the position, in order. */
  release(broker: Pick<Broker, 'caughtUp'>, after: string): readonly Delivery[];
  /** Stops keeping. */
  close(): void;
}

/** Its events come from stores, and are published by a feed that asks nobody here. */
const FED_CHANNEL: ChannelName = 'events';

/**
 * @param recipient what another of its subscriptions gets already is not kept
 * @param nowMs the time of the call
 */
export function holdStart(channel: Channel, topic: string, recipient: Recipient, nowMs: number): HeldStart {
  return new HoldingRecipient(channel, topic, recipient, Math.floor(nowMs));
}

class HoldingRecipient implements HeldStart, Recipient, Starting {
  readonly queue: Recipient['queue'];
  readonly #channel: Channel;
  readonly #topic: string;
  readonly #calledMs: number;
  readonly #held: Delivery[] = [];
  /** Ids of what was published here after the call. */
  readonly #since = new Set<string>();

  constructor(channel: Channel, topic: string, recipient: Recipient, calledMs: number) {
    this.#channel = channel;
    this.#topic = topic;
    this.#calledMs = calledMs;
    const isMissed = ({ notice }: Delivery): boolean =>
      !channel.index.match((notice.params as BrokerRecord).topic).includes(recipient);
    this.queue = {
      offer: (delivery) => {
        if (isMissed(delivery)) this.#held.push(delivery);
      },
      shed: (delivery) => {
        if (isMissed(delivery)) recipient.queue.shed(delivery);
      },
    };
    channel.index.add(topic, this);
    channel.starting.add(this);
  }

  get empty(): boolean {
    return this.#held.length === 0;
  }

  release(broker: Pick<Broker, 'caughtUp'>, after: string): readonly Delivery[] {
    this.close();
    const { name } = this.#channel;
    return this.#held.filter(({ notice }) => {
      const record = notice.params as BrokerRecord;
      return !broker.caughtUp(name, after, record.position) || this.#isSince(record);
    });
  }

  published(id: string): void {
    this.#since.add(id);
  }

  /** What came after the call may have been faster than the question, and lie before the beginning that was told. */
  #isSince({ id, time }: BrokerRecord): boolean {
    if (this.#since.has(id)) return true;
    return this.#channel.name === FED_CHANNEL && Date.parse(time) >= this.#calledMs;
  }

  close(): void {
    this.#channel.starting.delete(this);
    this.#channel.index.delete(this.#topic, this);
  }
}
