import { AsyncQueue } from '@esdb-gater/primitives';
import type { NackAction } from '@esdb-gater/protocol';
import { GaterError, type RecordedEvent, type Subscription } from '@esdb-gater/types';

export interface NackOptions {
  /** @default 'retry' */
  readonly action?: NackAction;
  /** How long the gateway waits before it delivers the event again. */
  readonly delayMs?: number;
  readonly reason?: string;
}

/** An event of a persistent subscription, which the reader acknowledges. */
export interface DeliveredEvent<Event> {
  readonly event: Event;
  /** How often the event was delivered, from 1. */
  readonly attempt: number;
  /**
   * Acknowledges the event; with `upTo`, also all earlier events of its stream. Has no effect on an event that was handed
   * over to another consumer, or that was delivered on an earlier connection and is delivered again.
   *
   * @returns the position up to which everything is acknowledged
   */
  ack(options?: { readonly upTo?: boolean }): Promise<{ readonly checkpoint: number }>;
  /**
   * Refuses the event: it is delivered again, parked or skipped. After `retry` the iteration leaves out the later events
   * of its stream that are buffered: they are delivered again after this one.
   */
  nack(options?: NackOptions): Promise<{ readonly checkpoint: number }>;
}

/**
 * Events of a persistent subscription, delivered at least once and in order per stream. It has one reader. After a
 * lost connection the client joins it again, and events that were not acknowledged are delivered again. The iteration
 * ends with an error when that is impossible, such as `subscription_not_found` when the subscription was removed.
 */
export interface EventSubscription<Event = RecordedEvent>
  extends AsyncIterable<DeliveredEvent<Event>>,
    AsyncDisposable {
  /** The state of the subscription when it was joined. */
  readonly subscription: Subscription;
  /** The position of the last event that was read; 0 before the first. */
  readonly position: number;
  /** Ends the delivery to this reader; the subscription stays. */
  unsubscribe(): Promise<{ readonly left: boolean }>;
}

/** What a joined subscription needs from the client. */
export interface EventSubscriptionParts {
  readonly subscription: Subscription;
  readonly ack: (
    event: RecordedEvent,
    options: { readonly upTo?: boolean },
  ) => Promise<{ readonly checkpoint: number }>;
  readonly nack: (event: RecordedEvent, options: NackOptions) => Promise<{ readonly checkpoint: number }>;
  readonly leave: () => Promise<{ readonly left: boolean }>;
}

interface Buffered extends DeliveredEvent<RecordedEvent> {
  /** Counts the deliveries of this client. */
  readonly order: number;
}

/** Where the events of a stream are left out: those delivered so far, after this version. */
interface Recall {
  readonly order: number;
  readonly version: number;
}

/** A joined subscription. The gateway bounds its buffer, by `maxInFlight` and by 16 MiB of events. */
export class JoinedSubscription implements EventSubscription {
  readonly subscription: Subscription;
  readonly #parts: EventSubscriptionParts;
  readonly #queue = new AsyncQueue<Buffered>();
  readonly #recalled = new Map<string, Recall>();
  #position = 0;
  #delivered = 0;
  #checkpoint: number;
  /** Counts the connections, so that an answer to an event of an earlier one is recognised. */
  #generation = 0;
  #ready = Promise.withResolvers<void>();

  constructor(parts: EventSubscriptionParts) {
    this.#parts = parts;
    this.subscription = parts.subscription;
    this.#checkpoint = parts.subscription.checkpoint;
    this.#ready.resolve();
  }

  get position(): number {
    return this.#position;
  }

  deliver(event: RecordedEvent, attempt: number): void {
    const { ack, nack } = this.#parts;
    const order = ++this.#delivered;
    const generation = this.#generation;
    this.#queue.put({
      event,
      attempt,
      order,
      ack: (options = {}) => this.#settle(generation, () => ack(event, options)),
      nack: (options = {}) => {
        const { action = 'retry' } = options;
        if (action === 'retry') this.#recall(event);
        return this.#settle(generation, () => nack(event, options));
      },
    });
  }

  /** Drops the buffered events. They are not acknowledged, so they are delivered again. */
  disconnected(): void {
    this.#queue.clear();
    this.#recalled.clear();
    this.#generation += 1;
    // Answers wait until the subscription is joined again.
    this.#ready.resolve();
    this.#ready = Promise.withResolvers();
  }

  /** Tells that the subscription is joined again. */
  rejoined(): void {
    this.#ready.resolve();
  }

  end(failure?: { readonly error: unknown }): void {
    this.#queue.end(failure);
    this.#ready.resolve();
  }

  unsubscribe(): Promise<{ readonly left: boolean }> {
    return this.#parts.leave();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.unsubscribe();
  }

  [Symbol.asyncIterator](): AsyncIterator<DeliveredEvent<RecordedEvent>, undefined> {
    return { next: () => this.#next() };
  }

  async #next(): Promise<IteratorResult<DeliveredEvent<RecordedEvent>, undefined>> {
    for (;;) {
      const next = await this.#queue.next();
      if (next.done === true) return { done: true, value: undefined };
      if (this.#isRecalled(next.value)) continue;
      const { event, attempt, ack, nack } = next.value;
      this.#position = event.position;
      return { done: false, value: { event, attempt, ack, nack } };
    }
  }

  #recall({ streamId, version }: RecordedEvent): void {
    const former = this.#recalled.get(streamId)?.version ?? version;
    this.#recalled.set(streamId, { order: this.#delivered, version: Math.min(former, version) });
  }

  #isRecalled({ event, order }: Buffered): boolean {
    const recall = this.#recalled.get(event.streamId);
    if (recall === undefined) return false;
    if (order <= recall.order) return event.version > recall.version;
    this.#recalled.delete(event.streamId);
    return false;
  }

  async #settle(
    generation: number,
    answer: () => Promise<{ readonly checkpoint: number }>,
  ): Promise<{ readonly checkpoint: number }> {
    await this.#ready.promise;
    try {
      const result = await answer();
      this.#checkpoint = result.checkpoint;
      return result;
    } catch (error) {
      // The gateway does not know of an event of an earlier connection: it is delivered again.
      if (generation !== this.#generation && isUnknownDelivery(error))
        return { checkpoint: this.#checkpoint };
      throw error;
    }
  }
}

function isUnknownDelivery(error: unknown): boolean {
  if (!GaterError.is(error, 'invalid_argument')) return false;
  return error.details.reason === 'not_delivered' || error.details.reason === 'not_joined';
}
