import type { Broker, BrokerRecord, Delivery } from '@esdb-gater/types';
import type { Channel, Recipient } from '../channel.ts';

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

/** @param recipient what another of its subscriptions gets already is not kept */
export function holdStart(channel: Channel, topic: string, recipient: Recipient): HeldStart {
  return new HoldingRecipient(channel, topic, recipient);
}

class HoldingRecipient implements HeldStart, Recipient {
  readonly queue: Recipient['queue'];
  readonly #channel: Channel;
  readonly #topic: string;
  #held: Delivery[] = [];

  constructor(channel: Channel, topic: string, recipient: Recipient) {
    this.#channel = channel;
    this.#topic = topic;
    const isNew = ({ notice }: Delivery): boolean =>
      !channel.index.match((notice.params as BrokerRecord).topic).includes(recipient);
    this.queue = {
      offer: (delivery) => {
        if (isNew(delivery)) this.#held.push(delivery);
      },
      shed: (delivery) => {
        if (isNew(delivery)) recipient.queue.shed(delivery);
      },
    };
    channel.index.add(topic, this);
  }

  get empty(): boolean {
    return this.#held.length === 0;
  }

  release(broker: Pick<Broker, 'caughtUp'>, after: string): readonly Delivery[] {
    this.close();
    const { name } = this.#channel;
    return this.#held.filter(
      ({ notice }) => !broker.caughtUp(name, after, (notice.params as BrokerRecord).position),
    );
  }

  close(): void {
    this.#channel.index.delete(this.#topic, this);
  }
}
