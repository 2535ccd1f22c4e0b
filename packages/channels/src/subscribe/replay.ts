import {
  createTopicMatcher,
  finishesWithin,
  nextTurn,
  retryUntilAborted,
  sleep,
  type TopicMatcher,
} from '@esdb-gater/primitives';
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
  /** Called in the same turn in which the replay reaches the end: the subscription is live from here on. */
  readonly onLive: () => void;
  /** Called when messages expired before the connection had received them. */
  readonly onLost: () => void;
}

export interface ReplayOptions {
  /** A valid pattern. */
  readonly topic: string;
  /** An exclusive position. */
  readonly after: string;
  /** Sent before the messages after `after`. */
  readonly first: readonly BrokerRecord[];
  readonly signal: AbortSignal;
}

/** The number of messages that are added to the queue before the event loop does other work. */
const BURST = 256;

/** The delays between attempts to read a broker that fails. */
const RETRY = { baseDelayMs: 100, maxDelayMs: 5_000 };

/** How long a replay that waits for room keeps the messages that it has read; then it reads them again. */
const KEPT_MS = 1_000;

/** While part of the history cannot be read: the time until the next attempt, unless a message is published before. */
const RETRY_MISSING_MS = 500;

/** The shortest time between two tries. */
const MIN_RETRY_MS = 20;

/**
 * Sends one subscription the messages between its position and now, in rounds, each up to the broker's tail at its
 * start, until none is left. The broker answers that synchronously, so that the subscription goes live in the same turn
 * without losing or repeating a message. A replay never fills the queue: it waits for room, and keeps little memory
 * meanwhile.
 *
 * When part of the history cannot be read, such as one of many stores, the replay continues with the other parts,
 * including new messages, and the subscription goes live when it has received everything.
 *
 * Never rejects. A broker that cannot be read is tried again until `signal` aborts.
 */
export async function replay(components: ReplayComponents, options: ReplayOptions): Promise<void> {
  const { clock, logger, channel } = components;
  const { signal } = options;
  const run = new ReplayRun(components, options);
  // The answer to `subscribe` is sent first.
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
      logger[level]({ err: error, channel: channel.name }, 'cannot read the history, retrying');
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
    for (const record of this.#first) await this.#send(record, Number.POSITIVE_INFINITY);
    this.#first = [];
    while (!this.#signal.aborted) {
      const before = this.#after;
      const tail = broker.tailPosition(name);
      if (tail !== undefined && broker.caughtUp(name, this.#after, tail, this.#topic)) {
        this.#end();
        return;
      }
      const until = tail ?? (await broker.position(name));
      if ((await this.#round(until)) && this.#after === before) await this.#news();
    }
  }

  /** Sends the messages up to `until`, or as many as there is room for. Returns true when it read to the end. */
  async #round(until: string): Promise<boolean> {
    const { broker, channel, queue } = this.#components;
    let reached: string | undefined;
    const options = {
      signal: this.#signal,
      topic: this.#topic,
      onReached: (position: string) => {
        reached = position;
      },
    };
    for await (const batch of broker.read(channel.name, this.#after, until, options)) {
      for (const record of batch) {
        if (this.#signal.aborted) return false;
        if (!this.#matches(record.topic) || !channel.accepts(record)) continue;
        if (!(await this.#send(record, KEPT_MS))) {
          await queue.room();
          return false;
        }
        this.#after = record.position;
      }
      this.#after = batch.at(-1)?.position ?? this.#after;
    }
    this.#after = reached ?? until;
    return true;
  }

  /** Waits until there may be more to read: a message was published, or a store may be available again. */
  async #news(): Promise<void> {
    const { channel, clock } = this.#components;
    await sleep(MIN_RETRY_MS, clock, this.#signal, { unref: true }).catch(() => undefined);
    if (this.#signal.aborted) return;
    const news = channel.nextFanOut();
    await finishesWithin(news.promise, RETRY_MISSING_MS - MIN_RETRY_MS, clock, { unref: true });
    news.cancel();
  }

  /** Returns false when there was no room within `patienceMs`, or the replay was ended. */
  async #send({ topic, id, time, position, message }: BrokerRecord, patienceMs: number): Promise<boolean> {
    const { channel, queue, clock } = this.#components;
    if (this.#sentInTurn === BURST) {
      this.#sentInTurn = 0;
      await nextTurn();
    }
    const params = { channel: channel.name, topic, id, time, position, message, replayFor: this.#topic };
    const delivery = createDelivery({ method: 'message', params }, channel.settings.priority);
    const sinceMs = clock.monotonic();
    while (!queue.takesReplayed(delivery)) {
      const leftMs = sinceMs + patienceMs - clock.monotonic();
      if (this.#signal.aborted || leftMs <= 0) return false;
      if (patienceMs === Number.POSITIVE_INFINITY) await queue.room();
      else await finishesWithin(queue.room(), leftMs, clock, { unref: true });
    }
    if (this.#signal.aborted) return false;
    this.#sentInTurn++;
    queue.offer(delivery);
    channel.countDelivered(1);
    return true;
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
