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
import { queueBounds } from './queue-bounds.ts';
import { replay } from './replay.ts';
import { resolveStart, type Start, startsLive } from './resolve-start.ts';
import { createStartBuffer, type StartBuffer } from './start-buffer.ts';
import { validateFrom } from './validate-from.ts';

export interface SubscriberComponents {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly logger: Logger;
  /** @throws `unknown_channel` */
  readonly channelOf: (name: unknown) => Channel;
  /** Resolves when the last values are loaded, or after a bounded time without them. */
  readonly lastValuesLoaded: () => Promise<void>;
  readonly queues: DeliveryQueueComponents;
  readonly maxSubscriptions: number;
  readonly onClosed: (subscriber: ChannelSubscriber) => void;
}

/**
 * Creates the receiving end of a connection.
 *
 * @throws `invalid_argument` (reason `queue_option`)
 */
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
  state: 'pending' | 'replaying' | 'live' | 'ended';
  /** Buffers messages while its start is not known. */
  buffer: StartBuffer | undefined;
  /** Ends the replay. */
  abort: AbortController | undefined;
}

class QueuedSubscriber implements ChannelSubscriber, Recipient {
  readonly queue: DeliveryQueue;
  readonly #components: SubscriberComponents;
  /** By channel and topic, neither of which contains a space. */
  readonly #entries = new Map<string, Entry>();
  /** Calls that wait for their position; they replace an entry when they have it. */
  readonly #pending = new Map<string, Entry>();
  /** Buffered deliveries that were passed on, as two subscriptions may buffer the same one. */
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
    const buffer = startsLive(channel, from)
      ? createStartBuffer(channel, topic, this, clock.now())
      : undefined;
    const entry: Entry = { channel, topic, state: 'pending', buffer, abort: undefined };
    this.#pending.set(key, entry);
    try {
      const settle = await waitFor(resolveStart(this.#components, channel, topic, from), {
        signal: options.signal,
        abortError: () => new GaterError('timeout', 'the call was aborted before it was answered'),
      });
      this.#refuseWhenClosed();
      const start = settle();
      // Unless a later call for the same topic, or an unsubscribe, came first.
      if (this.#pending.get(key) === entry) this.#begin(key, entry, start);
      return start.result;
    } finally {
      if (this.#pending.get(key) === entry) this.#pending.delete(key);
      if (this.#entries.get(key) !== entry) buffer?.close();
    }
  }

  unsubscribe({ channel, topic }: { readonly channel: ChannelName; readonly topic: string }): {
    readonly removed: boolean;
  } {
    this.#components.channelOf(channel);
    const key = keyOf(channel, topic);
    const started = this.#pending.delete(key);
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
    if (start.live) void this.#releaseBuffer(entry, start.result.position);
    else this.#replay(entry, start);
  }

  /** Sends the new messages of the buffer after the answer to `subscribe`, and goes live. */
  async #releaseBuffer(entry: Entry, after: string): Promise<void> {
    const { buffer } = entry;
    if (buffer?.empty === false) await nextTurn();
    if (entry.state === 'ended') return;
    for (const delivery of buffer?.release(this.#components.broker, after) ?? []) {
      if (this.#released.has(delivery)) continue;
      this.#released.add(delivery);
      this.queue.offer(delivery);
    }
    this.#goLive(entry);
  }

  #goLive(entry: Entry): void {
    entry.state = 'live';
    entry.buffer = undefined;
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
    // The history moved on faster than the connection took its replay: too slow, as with a full queue.
    const onLost = (): void => this.queue.overflow();
    void replay(
      { broker, clock, logger, channel, queue: this.queue, onLive, onLost },
      { topic, after: result.position, first, signal: abort.signal },
    );
  }

  #remove(key: string, entry: Entry): void {
    if (entry.state === 'live') entry.channel.index.delete(entry.topic, this);
    entry.state = 'ended';
    entry.buffer?.close();
    entry.abort?.abort();
    entry.channel.countSubscription(this, -1);
    this.#entries.delete(key);
  }

  #end(): void {
    for (const [key, entry] of this.#entries) this.#remove(key, entry);
    this.#pending.clear();
    this.#components.onClosed(this);
  }

  #refuseWhenClosed(): void {
    if (this.queue.closed) throw new GaterError('unavailable', 'the subscriber is closed');
  }

  #refuseWhenFull(key: string): void {
    const { maxSubscriptions } = this.#components;
    const count = this.#entries.size + this.#pending.size;
    if (count < maxSubscriptions || this.#entries.has(key)) return;
    throw invalidArgument(
      'too_many_subscriptions',
      `a connection must have at most ${maxSubscriptions} subscriptions, got one more than ${count}`,
      { maximum: maxSubscriptions },
    );
  }
}

function keyOf(channel: ChannelName, topic: string): string {
  return `${channel} ${topic}`;
}
