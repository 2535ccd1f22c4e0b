import { nextTurn, validatePattern, waitFor } from '@esdb-gater/primitives';
import {
  type Broker,
  type ChannelName,
  type ChannelSubscriber,
  type Clock,
  type Delivery,
  GaterError,
  invalidArgument,
  type Logger,
  type SubscribeParams,
  type SubscribeResult,
  type SubscriberOptions,
} from '@esdb-gater/types';
import type { Channel, Recipient } from '../channel.ts';
import {
  createDeliveryQueue,
  type DeliveryQueue,
  type DeliveryQueueComponents,
} from '../delivery/delivery-queue.ts';
import { type HeldStart, holdStart } from './held-start.ts';
import { queueBounds } from './queue-bounds.ts';
import { replay } from './replay.ts';
import { beginsLive, resolveStart, type Start } from './resolve-start.ts';
import { validateFrom } from './validate-from.ts';

export interface SubscriberComponents {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly logger: Logger;
  /** @throws `unknown_channel` */
  readonly channelOf: (name: unknown) => Channel;
  /** Resolves when the last messages of a channel's topics are known, or soon without them. */
  readonly warmed: () => Promise<void>;
  readonly queues: DeliveryQueueComponents;
  readonly maxSubscriptions: number;
  readonly onClosed: (subscriber: ChannelSubscriber) => void;
}

/** @throws `invalid_argument` (reason `queue_option`) */
export function createSubscriber(
  components: SubscriberComponents,
  options: SubscriberOptions,
): ChannelSubscriber {
  return new QueuedSubscriber(components, options);
}

/** One subscription, from the call to its end. */
interface Entry {
  readonly channel: Channel;
  readonly topic: string;
  state: 'starting' | 'replaying' | 'live' | 'ended';
  /** What came while its beginning was not known. */
  held: HeldStart | undefined;
  /** Ends its replay. */
  abort: AbortController | undefined;
}

class QueuedSubscriber implements ChannelSubscriber, Recipient {
  readonly queue: DeliveryQueue;
  readonly #components: SubscriberComponents;
  /** By channel and topic; neither has a blank. */
  readonly #entries = new Map<string, Entry>();
  /** Calls that wait for their position; they take the place of an entry when they have it. */
  readonly #starting = new Map<string, Entry>();
  /** What was held and passed on, as two subscriptions may hold the same. */
  readonly #released = new WeakSet<Delivery>();

  constructor(components: SubscriberComponents, options: SubscriberOptions) {
    this.#components = components;
    const onClosed = (): void => this.#end();
    this.queue = createDeliveryQueue(components.queues, {
      ...queueBounds(options),
      sink: options.sink,
      onClosed,
    });
  }

  async subscribe(
    params: SubscribeParams,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<SubscribeResult> {
    const channel = this.#components.channelOf(params.channel);
    const topic = validatePattern(params.topic);
    const from = validateFrom(params.from === undefined ? 'latest' : params.from);
    this.#refuseWhenClosed();
    const key = keyOf(channel.name, topic);
    this.#refuseWhenFull(key);
    const { clock } = this.#components;
    const held = beginsLive(channel, from) ? holdStart(channel, topic, this, clock.now()) : undefined;
    const entry: Entry = { channel, topic, state: 'starting', held, abort: undefined };
    this.#starting.set(key, entry);
    try {
      const settle = await waitFor(resolveStart(this.#components, channel, topic, from), {
        signal: options.signal,
        abortError: () => new GaterError('timeout', 'the call was ended before it had its answer'),
      });
      this.#refuseWhenClosed();
      const start = settle();
      // A later call for the same topic, or an unsubscribe, came first.
      if (this.#starting.get(key) === entry) this.#begin(key, entry, start);
      return start.result;
    } finally {
      if (this.#starting.get(key) === entry) this.#starting.delete(key);
      if (this.#entries.get(key) !== entry) held?.close();
    }
  }

  unsubscribe({ channel, topic }: { readonly channel: ChannelName; readonly topic: string }): {
    readonly removed: boolean;
  } {
    this.#components.channelOf(channel);
    const key = keyOf(channel, topic);
    const started = this.#starting.delete(key);
    const entry = this.#entries.get(key);
    if (entry !== undefined) this.#remove(key, entry);
    return { removed: started || entry !== undefined };
  }

  drained(): void {
    this.queue.drained();
  }

  close(): void {
    if (this.queue.closed) return;
    this.queue.close();
    this.#end();
  }

  #begin(key: string, entry: Entry, start: Start): void {
    const replaced = this.#entries.get(key);
    if (replaced !== undefined) this.#remove(key, replaced);
    this.#entries.set(key, entry);
    entry.channel.countSubscription(this, 1);
    if (start.live) void this.#passHeld(entry, start.result.position);
    else this.#replay(entry, start);
  }

  /** Goes live, after what was held and is new; that comes after the answer to `subscribe`. */
  async #passHeld(entry: Entry, after: string): Promise<void> {
    const { held } = entry;
    if (held?.empty === false) await nextTurn();
    if (entry.state === 'ended') return;
    for (const delivery of held?.release(this.#components.broker, after) ?? []) {
      if (this.#released.has(delivery)) continue;
      this.#released.add(delivery);
      this.queue.offer(delivery);
    }
    this.#goLive(entry);
  }

  #goLive(entry: Entry): void {
    entry.state = 'live';
    entry.held = undefined;
    entry.abort = undefined;
    entry.channel.index.add(entry.topic, this);
  }

  #replay(entry: Entry, { result, first }: Start): void {
    const { broker, clock, logger } = this.#components;
    const { channel, topic } = entry;
    const abort = new AbortController();
    entry.state = 'replaying';
    entry.abort = abort;
    const onLive = (): void => this.#goLive(entry);
    // The connection took its replay more slowly than the history went on: it is too slow, as by a full queue.
    const onLost = (): void => this.queue.overflow();
    void replay(
      { broker, clock, logger, channel, queue: this.queue, onLive, onLost },
      { topic, after: result.position, first, signal: abort.signal },
    );
  }

  #remove(key: string, entry: Entry): void {
    if (entry.state === 'live') entry.channel.index.delete(entry.topic, this);
    entry.state = 'ended';
    entry.held?.close();
    entry.abort?.abort();
    entry.channel.countSubscription(this, -1);
    this.#entries.delete(key);
  }

  #end(): void {
    for (const [key, entry] of this.#entries) this.#remove(key, entry);
    this.#starting.clear();
    this.#components.onClosed(this);
  }

  #refuseWhenClosed(): void {
    if (this.queue.closed) throw new GaterError('unavailable', 'the subscriber is closed');
  }

  #refuseWhenFull(key: string): void {
    const { maxSubscriptions } = this.#components;
    const held = this.#entries.size + this.#starting.size;
    if (held < maxSubscriptions || this.#entries.has(key)) return;
    throw invalidArgument(
      'too_many_subscriptions',
      `this connection has ${held} subscriptions, expected at most ${maxSubscriptions}`,
      { maximum: maxSubscriptions },
    );
  }
}

function keyOf(channel: ChannelName, topic: string): string {
  return `${channel} ${topic}`;
}
