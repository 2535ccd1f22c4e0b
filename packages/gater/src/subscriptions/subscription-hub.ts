import { onAbort, requireNumber, requireOneOf, waitFor } from '@esdb-gater/primitives';
import { calculateDelay, type RetryPolicy, retryPolicy } from '@esdb-gater/retry';
import {
  type ChannelMessage,
  type Clock,
  type DroppedNotice,
  GaterError,
  type ReplayedNotice,
  type SubscribeParams,
  type SubscribeResult,
  systemClock,
} from '@esdb-gater/types';
import type { LostNotice } from '../gater.ts';
import type { SubscriptionLink } from './link.ts';
import { LocalSubscription, type SubscriptionOwner } from './local-subscription.ts';
import { TopicTable } from './topic-table.ts';

export interface HubComponents {
  readonly link: SubscriptionLink;
  readonly clock?: Clock;
  readonly random?: () => number;
  /** Called when the last subscription has ended. */
  readonly onEmpty?: () => void;
}

export interface HubOptions {
  /** Delays between attempts to subscribe again. */
  readonly policy?: RetryPolicy;
}

export interface OpenOptions {
  readonly bufferMessages?: number;
  readonly bufferBytes?: number;
  readonly whenLost?: 'continue' | 'end';
  readonly token?: string;
  readonly onLost?: (notice: LostNotice) => void;
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

const SUBSCRIBE_OPTION = { reason: 'subscribe_options' } as const;

const BUFFER = { ...SUBSCRIBE_OPTION, above: 0, max: Number.POSITIVE_INFINITY } as const;

const WHEN_LOST = ['continue', 'end'] as const;

/** An `open` that waits for the first answer to its `subscribe`. */
interface Opening {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  /** The error of the last attempt. */
  last?: GaterError;
}

/**
 * The subscriptions of one connection. Passes each message to the matching subscriptions, and subscribes all of them
 * again after a reconnect.
 *
 * Each topic has at most one subscription, since the gateway replaces a subscription by another of the same topic.
 */
export class SubscriptionHub implements SubscriptionOwner {
  readonly #link: SubscriptionLink;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #policy: RetryPolicy;
  readonly #channels = new Map<string, TopicTable>();
  readonly #onEmpty: (() => void) | undefined;
  readonly #opening = new Map<LocalSubscription, Opening>();
  #connected = false;
  #closed = false;

  constructor(components: HubComponents, options: HubOptions = {}) {
    const { link, clock = systemClock, random = Math.random, onEmpty } = components;
    this.#link = link;
    this.#onEmpty = onEmpty;
    this.#clock = clock;
    this.#random = random;
    this.#policy = options.policy ?? retryPolicy();
  }

  get size(): number {
    let size = 0;
    for (const table of this.#channels.values()) size += table.size;
    return size;
  }

  get(channel: string, topic: string): LocalSubscription | undefined {
    return this.#channels.get(channel)?.get(topic);
  }

  /** Subscribes; resolves when the gateway has answered for the first time. */
  async open(params: SubscribeParams, options: OpenOptions = {}): Promise<LocalSubscription> {
    const { signal, timeoutMs } = options;
    signal?.throwIfAborted();
    const { bufferMessages = 10_000, bufferBytes = 16 * 1_048_576, whenLost = 'continue' } = options;
    const subscription = new LocalSubscription(params, this, {
      bufferMessages: requireNumber('bufferMessages', bufferMessages, BUFFER),
      bufferBytes: requireNumber('bufferBytes', bufferBytes, BUFFER),
      whenLost: requireOneOf('whenLost', whenLost, WHEN_LOST, SUBSCRIBE_OPTION),
      token: options.token,
      onLost: options.onLost,
      onEnd: () => stopListening(),
    });
    const opening = Promise.withResolvers<void>();
    const waiting: Opening = { resolve: opening.resolve, reject: opening.reject };
    this.#opening.set(subscription, waiting);
    this.#tableOf(params.channel).add(subscription);
    // The signal also ends the subscription later.
    const stopListening = onAbort(signal, (reason) => {
      opening.reject(reason);
      void this.remove(subscription);
    });
    if (this.#connected) this.#ask(subscription, 0);
    const timeoutError = (limitMs: number): GaterError => waiting.last ?? lateAnswer(limitMs);
    try {
      await waitFor(opening.promise, { timeoutMs, timeoutError, clock: this.#clock });
    } catch (error) {
      await this.remove(subscription);
      throw error;
    } finally {
      this.#opening.delete(subscription);
    }
    return subscription;
  }

  /** Subscribes everything again, from the last positions. */
  connected(): void {
    if (this.#closed) return;
    this.#connected = true;
    for (const table of this.#channels.values()) {
      for (const subscription of table) if (subscription.stage === 'absent') this.#ask(subscription, 0);
    }
  }

  /** Handles the loss of the connection. */
  disconnected(): void {
    this.#connected = false;
    for (const table of this.#channels.values()) {
      for (const subscription of table) subscription.detached(table);
    }
  }

  /** Ends every subscription; with `failure`, by its error. */
  close(failure?: { readonly error: unknown }): void {
    this.#closed = true;
    this.#connected = false;
    const error = failure?.error ?? new GaterError('unavailable', 'the client is closed');
    for (const { reject } of this.#opening.values()) reject(error);
    for (const table of this.#channels.values()) for (const subscription of table) subscription.end(failure);
    this.#channels.clear();
  }

  /** @param units the length of its frame, if it came in one */
  message(message: ChannelMessage, units?: number): void {
    const table = this.#channels.get(message.channel);
    if (table === undefined) return;
    if (message.replayFor !== undefined) {
      table.get(message.replayFor)?.replayed(message, units);
      return;
    }
    table.advance(message.position);
    table.match(message.topic, (subscription) => subscription.live(message, units));
  }

  replayed({ channel, topic, position }: ReplayedNotice): void {
    const table = this.#channels.get(channel);
    if (table !== undefined) table.get(topic)?.caughtUp(position, table);
  }

  dropped({ channel, count, position }: DroppedNotice): void {
    for (const subscription of this.#channels.get(channel) ?? []) {
      if (subscription.stage === 'live') subscription.tellLost({ kind: 'dropped', count, position });
    }
  }

  pause(subscription: LocalSubscription): void {
    subscription.stage = 'paused';
    subscription.generation++;
    void this.#link.unsubscribe(subscription);
  }

  resume(subscription: LocalSubscription): void {
    subscription.stage = 'absent';
    if (this.#connected) this.#ask(subscription, 0);
  }

  async remove(subscription: LocalSubscription): Promise<boolean> {
    if (this.get(subscription.channel, subscription.topic) !== subscription) return false;
    this.#channels.get(subscription.channel)?.delete(subscription.topic);
    const known = subscription.stage !== 'absent' && subscription.stage !== 'paused';
    subscription.end();
    if (known && this.#connected) await this.#link.unsubscribe(subscription);
    if (this.size === 0) this.#onEmpty?.();
    return true;
  }

  #tableOf(channel: string): TopicTable {
    let table = this.#channels.get(channel);
    if (table === undefined) {
      table = new TopicTable();
      this.#channels.set(channel, table);
    }
    return table;
  }

  /** @param failures how many attempts in a row have failed */
  #ask(subscription: LocalSubscription, failures: number): void {
    subscription.stage = 'asked';
    const generation = ++subscription.generation;
    const { token } = subscription;
    const answer = this.#link.subscribe(subscription.params, {
      ...(token === undefined ? {} : { token }),
      onResult: (result) => this.#accepted(subscription, generation, result),
    });
    answer.then(undefined, (error: unknown) => this.#failed(subscription, generation, failures, error));
  }

  #accepted(subscription: LocalSubscription, generation: number, result: SubscribeResult): void {
    if (subscription.generation !== generation) return;
    subscription.accepted(result, this.#tableOf(subscription.channel));
    this.#opening.get(subscription)?.resolve();
  }

  #failed(subscription: LocalSubscription, generation: number, failures: number, error: unknown): void {
    if (subscription.generation !== generation) return;
    const opening = this.#opening.get(subscription);
    // Only what follows a message of before is gone: a position that the caller passed is theirs to correct.
    if (isPositionLost(error) && opening === undefined && subscription.restart()) {
      this.#ask(subscription, failures);
      return;
    }
    if (!GaterError.is(error) || !error.retriable) {
      if (opening !== undefined) opening.reject(error);
      this.#channels.get(subscription.channel)?.delete(subscription.topic);
      subscription.end({ error });
      if (this.size === 0) this.#onEmpty?.();
      return;
    }
    if (opening !== undefined) opening.last = error;
    subscription.stage = 'absent';
    if (!this.#connected) return;
    const delayMs = calculateDelay(failures, this.#policy, this.#random);
    this.#clock.setTimer(
      () => {
        const still = subscription.generation === generation && subscription.stage === 'absent';
        if (still && this.#connected) this.#ask(subscription, failures + 1);
      },
      delayMs,
      { unref: true },
    );
  }
}

function isPositionLost(error: unknown): boolean {
  return GaterError.is(error) && error.details['reason'] === 'position_lost';
}

function lateAnswer(timeoutMs: number): GaterError {
  return new GaterError('timeout', `subscribe was not answered within ${timeoutMs} ms`, {
    details: { timeoutMs },
  });
}
