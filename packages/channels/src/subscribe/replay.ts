import { createTopicMatcher, nextTurn, retryUntilAborted, type TopicMatcher } from '@esdb-gater/primitives';
import { calculateDelay } from '@esdb-gater/retry';
import { type Broker, type BrokerRecord, type Clock, GaterError, type Logger } from '@esdb-gater/types';
import type { Channel } from '../channel.ts';
import type { DeliveryQueue } from '../delivery/delivery-queue.ts';
import { createDelivery } from '../delivery/shared-delivery.ts';

export interface ReplayComponents {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly channel: Channel;
  readonly queue: DeliveryQueue;
  /** Called in the turn in which nothing is left to replay: from here on the subscription is live. */
  readonly onLive: () => void;
  /** The history went on faster than the connection took it: what lies between is gone. */
  readonly onLost: () => void;
}

export interface ReplayOptions {
  /** A valid pattern. */
  readonly topic: string;
  /** An exclusive position. */
  readonly after: string;
  /** Sent before what follows `after`. */
  readonly first: readonly BrokerRecord[];
  readonly signal: AbortSignal;
}

/** Messages that are handed to the queue before others get a turn of the event loop. */
const BURST = 256;

/** Between attempts to read a broker that fails. */
const RETRY = { baseDelayMs: 100, maxDelayMs: 5_000 };

/**
 * Sends one subscription what lies between its position and now, in rounds, each up to where the broker's tail
 * stood when it began, until nothing lies between. That is asked synchronously, so that in the same turn the
 * subscription goes live with nothing lost or doubled. A replay never fills the queue: it waits for room.
 *
 * Never rejects. A broker that cannot be read is tried again until `signal` ends it.
 */
export async function replay(components: ReplayComponents, options: ReplayOptions): Promise<void> {
  const { clock, logger, channel } = components;
  const { signal } = options;
  const run = new ReplayRun(components, options);
  // The answer to `subscribe` goes first.
  await nextTurn();
  const rounds = async (): Promise<void> => {
    try {
      await run.rounds();
    } catch (error) {
      if (signal.aborted || !isLost(error)) throw error;
      components.onLost();
    }
  };
  await retryUntilAborted(rounds, {
    clock,
    signal,
    backoff: (failures) => calculateDelay(failures, RETRY),
    onFailure: (error, failures) => {
      const level = failures === 0 ? 'warn' : 'debug';
      logger[level]({ err: error, channel: channel.name }, 'the history could not be read, trying again');
    },
  });
}

class ReplayRun {
  readonly #components: ReplayComponents;
  readonly #topic: string;
  readonly #signal: AbortSignal;
  readonly #matches: TopicMatcher;
  /** Everything up to here has been sent. */
  #after: string;
  #first: readonly BrokerRecord[];
  #sentInTurn = 0;

  constructor(components: ReplayComponents, { topic, after, first, signal }: ReplayOptions) {
    this.#components = components;
    this.#topic = topic;
    this.#signal = signal;
    this.#matches = createTopicMatcher(topic);
    this.#after = after;
    this.#first = first;
  }

  async rounds(): Promise<void> {
    const { broker, channel } = this.#components;
    const { name } = channel;
    for (const record of this.#first) await this.#send(record);
    this.#first = [];
    while (!this.#signal.aborted) {
      const tail = broker.tailPosition(name);
      if (tail !== undefined && broker.caughtUp(name, this.#after, tail)) {
        this.#end();
        return;
      }
      const until = tail ?? (await broker.position(name));
      for await (const batch of broker.read(name, this.#after, until, { signal: this.#signal })) {
        for (const record of batch) {
          if (this.#signal.aborted) return;
          if (this.#matches(record.topic) && channel.accepts(record)) await this.#send(record);
        }
        this.#after = batch.at(-1)?.position ?? this.#after;
      }
      this.#after = until;
    }
  }

  async #send({ topic, id, time, position, message }: BrokerRecord): Promise<void> {
    const { channel, queue } = this.#components;
    if (this.#sentInTurn === BURST) {
      this.#sentInTurn = 0;
      await nextTurn();
    }
    const params = { channel: channel.name, topic, id, time, position, message, replayFor: this.#topic };
    const delivery = createDelivery({ method: 'message', params }, channel.settings.priority);
    while (!queue.takesReplayed(delivery)) {
      if (this.#signal.aborted) return;
      await queue.room();
    }
    if (this.#signal.aborted) return;
    this.#sentInTurn++;
    queue.offer(delivery);
    channel.countDelivered(1);
  }

  #end(): void {
    const { channel, queue, onLive } = this.#components;
    const params = { channel: channel.name, topic: this.#topic, position: this.#after };
    onLive();
    queue.offer(createDelivery({ method: 'replayed', params }, channel.settings.priority));
  }
}

function isLost(error: unknown): boolean {
  return GaterError.is(error) && error.details['reason'] === 'position_lost';
}
