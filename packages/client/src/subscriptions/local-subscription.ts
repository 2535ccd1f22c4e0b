import { AsyncQueue } from '@esdb-gater/primitives';
import type {
  ChannelMessage,
  ChannelName,
  SubscribeFrom,
  SubscribeParams,
  SubscribeResult,
} from '@esdb-gater/types';
import type { LostNotice } from '../gater.ts';
import type { MessageSubscription } from './message-subscription.ts';

/**
 * Where a subscription stands with the gateway:
 *
 * - `absent`: the gateway does not know it (no connection, or not asked yet);
 * - `asked`: the answer has not come; what comes for it now belongs to an earlier one;
 * - `replaying`: it gets what is replayed for it, and nothing live;
 * - `live`: it gets every live message that matches;
 * - `paused`: its buffer was full and it has left the gateway.
 */
export type Stage = 'absent' | 'asked' | 'replaying' | 'live' | 'paused';

/** How far the live messages of a channel have come on this connection. */
export interface ChannelProgress {
  /** Live messages so far. */
  readonly count: number;
  /** That of the last one. */
  readonly position: string | undefined;
}

/** What a subscription asks of the hub that it belongs to. */
export interface SubscriptionOwner {
  resume(subscription: LocalSubscription): void;
  pause(subscription: LocalSubscription): void;
  remove(subscription: LocalSubscription): Promise<boolean>;
}

export interface LocalSubscriptionOptions {
  readonly bufferMessages: number;
  readonly token: string | undefined;
  readonly onLost: ((notice: LostNotice) => void) | undefined;
  /** Called once, when it ends. */
  readonly onEnd: () => void;
}

/** Ids that a subscription to the latest values remembers: one for each topic that the gateway keeps. */
const LATEST_VALUES = 10_000;

/** One subscription of this process, on its way from message to reader. */
export class LocalSubscription implements MessageSubscription {
  readonly channel: ChannelName;
  readonly topic: string;
  readonly token: string | undefined;
  stage: Stage = 'absent';
  lost = false;
  /** Counts the times that it was asked for, so that a late outcome of an earlier time is known as such. */
  generation = 0;
  readonly #owner: SubscriptionOwner;
  readonly #bufferMessages: number;
  readonly #onLost: ((notice: LostNotice) => void) | undefined;
  readonly #onEnd: () => void;
  readonly #first: SubscribeFrom;
  readonly #queue = new AsyncQueue<ChannelMessage>({ onTaken: (message) => this.#taken(message) });
  /** After which message the gateway is to go on: everything up to here is in the buffer or was read. */
  #received: string | undefined;
  #read: string | undefined;
  /**
   * On `health` a subscription to `latest` is replayed the last values, and goes live at an unknown point before
   * or after: the ids that came live until then, so that no value comes twice.
   */
  #seenLive: Set<string> | undefined;
  /** Live messages that the channel had had when this subscription went live. */
  #liveSince = 0;

  constructor(params: SubscribeParams, owner: SubscriptionOwner, options: LocalSubscriptionOptions) {
    this.channel = params.channel;
    this.topic = params.topic;
    this.token = options.token;
    this.#first = params.from ?? 'latest';
    this.#owner = owner;
    this.#bufferMessages = options.bufferMessages;
    this.#onLost = options.onLost;
    this.#onEnd = options.onEnd;
  }

  get position(): string {
    // With nothing waiting the reader stands where the replay stands, which may be past the last match.
    return (this.#queue.size === 0 ? this.#received : this.#read) ?? '';
  }

  get waiting(): number {
    return this.#queue.size;
  }

  get ended(): boolean {
    return this.#queue.ended;
  }

  /** What the gateway is asked for: at first what the caller wants, later what follows the last message. */
  get params(): SubscribeParams {
    const from = this.#received === undefined ? this.#first : { position: this.#received };
    return { channel: this.channel, topic: this.topic, from };
  }

  /** The gateway has answered. */
  accepted(result: SubscribeResult, progress: ChannelProgress): void {
    this.#liveSince = progress.count;
    const resumed = this.#received !== undefined;
    const latest = !resumed && this.#first === 'latest';
    this.stage = latest ? 'live' : 'replaying';
    this.#seenLive = latest && this.channel === 'health' ? new Set() : undefined;
    if (!resumed) {
      this.#received = result.position;
      this.#read = result.position;
    }
    if (result.lost === true) this.tellLost({ kind: 'history', position: result.position });
  }

  replayed(message: ChannelMessage): void {
    if (this.stage === 'replaying' || (this.stage === 'live' && this.#seenLive?.has(message.id) === false)) {
      this.#put(message);
    }
  }

  caughtUp(position: string, progress: ChannelProgress): void {
    if (this.stage === 'replaying') {
      this.stage = 'live';
      this.#liveSince = progress.count;
      this.#received = position;
    }
    this.#seenLive = undefined;
  }

  /** A live message that matches. */
  live(message: ChannelMessage): void {
    if (this.stage !== 'live') return;
    if (this.#seenLive !== undefined && this.#seenLive.size < LATEST_VALUES) this.#seenLive.add(message.id);
    this.#put(message);
  }

  /**
   * The connection is gone.
   *
   * @param reached the channel's last live position and how many live messages it had by then: a subscription
   * that was live before that one came has had all that it matches up to there
   */
  detached(reached: ChannelProgress): void {
    if (this.stage === 'paused') return;
    if (this.stage === 'live' && reached.count > this.#liveSince && reached.position !== undefined) {
      this.#received = reached.position;
    }
    this.stage = 'absent';
    this.generation++;
  }

  tellLost(notice: LostNotice): void {
    this.lost = true;
    this.#onLost?.(notice);
  }

  end(failure?: { readonly error: unknown }): void {
    this.stage = 'absent';
    this.generation++;
    if (this.#queue.ended) return;
    this.#queue.end(failure);
    this.#onEnd();
  }

  async unsubscribe(): Promise<{ readonly removed: boolean }> {
    return { removed: await this.#owner.remove(this) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.unsubscribe();
  }

  [Symbol.asyncIterator](): AsyncIterator<ChannelMessage, undefined> {
    // No `return`: leaving a loop leaves the subscription.
    return { next: () => this.#queue.next() };
  }

  #put(message: ChannelMessage): void {
    if (this.#queue.size >= this.#bufferMessages) {
      // This message is not counted as received, so that it is the first to come again.
      this.#owner.pause(this);
      return;
    }
    this.#received = message.position;
    this.#queue.put(withoutReplayFor(message));
  }

  #taken(message: ChannelMessage): void {
    this.#read = message.position;
    if (this.stage === 'paused' && this.#queue.size * 2 <= this.#bufferMessages) this.#owner.resume(this);
  }
}

/** A message is the same to its reader however it came. */
function withoutReplayFor(message: ChannelMessage): ChannelMessage {
  if (message.replayFor === undefined) return message;
  const { replayFor: _, ...rest } = message;
  return rest;
}
