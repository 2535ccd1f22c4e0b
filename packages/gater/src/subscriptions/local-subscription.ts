import { AsyncQueue, unpackValue } from '@esdb-gater/primitives';
import type {
  ChannelMessage,
  ChannelName,
  SubscribeFrom,
  SubscribeParams,
  SubscribeResult,
} from '@esdb-gater/types';
import type { LostNotice } from '../gater.ts';
import { type BufferedMessage, bufferMessage } from './buffered-message.ts';
import type { MessageSubscription } from './message-subscription.ts';

/**
 * The state of a subscription at the gateway:
 *
 * - `absent`: the gateway does not know it (no connection, or not requested yet);
 * - `asked`: `subscribe` is unanswered; messages that arrive now belong to an earlier subscription;
 * - `replaying`: it receives replayed messages only;
 * - `live`: it receives every live message that matches;
 * - `paused`: its buffer was full, so it has left the gateway.
 */
export type Stage = 'absent' | 'asked' | 'replaying' | 'live' | 'paused';

/** The progress of the live messages of a channel on this connection. */
export interface ChannelProgress {
  /** How many live messages have arrived. */
  readonly count: number;
  /** The position of the last one. */
  readonly position: string | undefined;
}

/** What a subscription needs from its hub. */
export interface SubscriptionOwner {
  resume(subscription: LocalSubscription): void;
  pause(subscription: LocalSubscription): void;
  remove(subscription: LocalSubscription): Promise<boolean>;
}

export interface LocalSubscriptionOptions {
  readonly bufferMessages: number;
  readonly bufferBytes: number;
  readonly whenLost: 'continue' | 'end';
  readonly token: string | undefined;
  readonly onLost: ((notice: LostNotice) => void) | undefined;
  /** Called once, when the subscription ends. */
  readonly onEnd: () => void;
}

/** How many ids a subscription to the latest values remembers: one for each topic that the gateway keeps. */
const LATEST_VALUES = 10_000;

/** A subscription of this client: receives messages and buffers them for its reader. */
export class LocalSubscription implements MessageSubscription {
  readonly channel: ChannelName;
  readonly topic: string;
  readonly token: string | undefined;
  stage: Stage = 'absent';
  lost = false;
  /** Counts the `subscribe` calls, so that a late answer to an earlier one is recognised. */
  generation = 0;
  readonly #owner: SubscriptionOwner;
  readonly #bufferMessages: number;
  readonly #bufferBytes: number;
  readonly #whenLost: 'continue' | 'end';
  /** Of the buffered messages. */
  #bytes = 0;
  readonly #onLost: ((notice: LostNotice) => void) | undefined;
  readonly #onEnd: () => void;
  #first: SubscribeFrom;
  readonly #queue = new AsyncQueue<BufferedMessage>({ onTaken: (buffered) => this.#taken(buffered) });
  /** The position from which the gateway continues: all messages up to here are buffered or were read. */
  #received: string | undefined;
  #read: string | undefined;
  /**
   * The ids that arrived live while the last values are replayed. On `health` a subscription to `latest` receives
   * the last values too, and goes live at an unknown point before or after them; no value may arrive twice.
   */
  #seenLive: Set<string> | undefined;
  /** True when the position was lost and the next answer begins anew. */
  #restarted = false;
  /** How many live messages the channel had received when this subscription went live. */
  #liveSince = 0;

  constructor(params: SubscribeParams, owner: SubscriptionOwner, options: LocalSubscriptionOptions) {
    this.channel = params.channel;
    this.topic = params.topic;
    this.token = options.token;
    this.#first = params.from ?? 'latest';
    this.#owner = owner;
    this.#bufferMessages = options.bufferMessages;
    this.#bufferBytes = options.bufferBytes;
    this.#whenLost = options.whenLost;
    this.#onLost = options.onLost;
    this.#onEnd = options.onEnd;
  }

  get position(): string {
    // With an empty buffer the position is that of the replay, which may be past the last match.
    return (this.#queue.size === 0 ? this.#received : this.#read) ?? '';
  }

  get waiting(): number {
    return this.#queue.size;
  }

  get ended(): boolean {
    return this.#queue.ended;
  }

  /** Parameters of the next `subscribe`: those of the caller first, later from the last message on. */
  get params(): SubscribeParams {
    const from = this.#received === undefined ? this.#first : { position: this.#received };
    return { channel: this.channel, topic: this.topic, from };
  }

  /** Handles the answer to `subscribe`. */
  accepted(result: SubscribeResult, progress: ChannelProgress): void {
    this.#liveSince = progress.count;
    const resumed = this.#received !== undefined;
    const latest = !resumed && this.#first === 'latest';
    this.stage = latest ? 'live' : 'replaying';
    this.#seenLive = latest && this.channel === 'health' ? new Set() : undefined;
    if (!resumed) {
      this.#received = result.position;
      // After a lost position, messages from before it may still be buffered.
      if (this.#queue.size === 0) this.#read = result.position;
    }
    const restarted = this.#restarted;
    this.#restarted = false;
    if (restarted || result.lost === true) this.tellLost({ kind: 'history', position: result.position });
  }

  /**
   * Handles that the gateway no longer holds the position: the next `subscribe` starts from the oldest message.
   * Returns false when the subscription must end instead.
   */
  restart(): boolean {
    if (this.#whenLost === 'end' || this.#received === undefined) return false;
    this.#received = undefined;
    this.#first = 'earliest';
    this.#restarted = true;
    return true;
  }

  replayed(message: ChannelMessage, units?: number): void {
    if (this.stage === 'replaying' || (this.stage === 'live' && this.#seenLive?.has(message.id) === false)) {
      this.#put(message, units);
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

  /** Handles a live message that matches. */
  live(message: ChannelMessage, units?: number): void {
    if (this.stage !== 'live') return;
    if (this.#seenLive !== undefined && this.#seenLive.size < LATEST_VALUES) this.#seenLive.add(message.id);
    this.#put(message, units);
  }

  /**
   * Handles the loss of the connection.
   *
   * @param reached the channel's last live position, and how many live messages it had by then. A subscription that
   * was live before the last one has received all its matches up to there.
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
    // There is no `return`: leaving a loop does not end the subscription.
    return {
      next: async () => {
        const { done, value } = await this.#queue.next();
        return done === true
          ? { done, value: undefined }
          : { done: false, value: unpackValue(value as BufferedMessage) };
      },
    };
  }

  #put(message: ChannelMessage, units?: number): void {
    const buffered = bufferMessage(withoutReplayFor(message), units, this.#queue.isAwaited);
    const isFull =
      this.#queue.size >= this.#bufferMessages ||
      (this.#queue.size > 0 && this.#bytes + buffered.bytes > this.#bufferBytes);
    if (isFull) {
      // This message does not count as received, so that it is the first one after the pause.
      this.#owner.pause(this);
      return;
    }
    this.#received = message.position;
    this.#bytes += buffered.bytes;
    this.#queue.put(buffered);
  }

  #taken({ position, bytes }: BufferedMessage): void {
    this.#read = position;
    this.#bytes -= bytes;
    const hasRoom = this.#queue.size * 2 <= this.#bufferMessages && this.#bytes * 2 <= this.#bufferBytes;
    if (this.stage === 'paused' && hasRoom) this.#owner.resume(this);
  }
}

/** Removes `replayFor`: a reader gets the same message, replayed or live. */
function withoutReplayFor(message: ChannelMessage): ChannelMessage {
  if (message.replayFor === undefined) return message;
  const { replayFor: _, ...rest } = message;
  return rest;
}
