import { AsyncQueue } from '@esdb-gater/primitives';
import type { NackAction } from '@esdb-gater/protocol';
import type { RecordedEvent, Subscription } from '@esdb-gater/types';

export interface NackOptions {
  /** @default 'retry' */
  readonly action?: NackAction;
  /** Milliseconds until the event comes again. */
  readonly delayMs?: number;
  readonly reason?: string;
}

/** An event of a persistent subscription, to be acknowledged. */
export interface DeliveredEvent<Event> {
  readonly event: Event;
  /** How often it was delivered, from 1. */
  readonly attempt: number;
  /** Says that it was processed. With `upTo` so were all before it in its stream. */
  ack(options?: { readonly upTo?: boolean }): Promise<{ readonly checkpoint: number }>;
  /** Says that it was not processed, and what is to become of it. */
  nack(options?: NackOptions): Promise<{ readonly checkpoint: number }>;
}

/**
 * Events of a persistent subscription, at least once and in order per stream. It has one reader; after a lost
 * connection it is joined again, and what was not acknowledged comes again.
 */
export interface EventSubscription<Event = RecordedEvent>
  extends AsyncIterable<DeliveredEvent<Event>>,
    AsyncDisposable {
  /** As it stood when it was joined. */
  readonly subscription: Subscription;
  /** The position of the last event that was read; 0 before the first. */
  readonly position: number;
  /** Ends the delivery to this reader; the subscription lives on. */
  unsubscribe(): Promise<{ readonly left: boolean }>;
}

/** What an event subscription is made of. */
export interface EventSubscriptionParts {
  readonly subscription: Subscription;
  readonly ack: (
    event: RecordedEvent,
    options: { readonly upTo?: boolean },
  ) => Promise<{ readonly checkpoint: number }>;
  readonly nack: (event: RecordedEvent, options: NackOptions) => Promise<{ readonly checkpoint: number }>;
  readonly leave: () => Promise<{ readonly left: boolean }>;
}

/** One joined subscription. What waits is bounded by `maxInFlight`, as the gateway waits for acknowledgements. */
export class JoinedSubscription implements EventSubscription {
  readonly subscription: Subscription;
  readonly #parts: EventSubscriptionParts;
  readonly #queue = new AsyncQueue<DeliveredEvent<RecordedEvent>>({
    onTaken: ({ event }) => {
      this.#position = event.position;
    },
  });
  #position = 0;

  constructor(parts: EventSubscriptionParts) {
    this.#parts = parts;
    this.subscription = parts.subscription;
  }

  get position(): number {
    return this.#position;
  }

  deliver(event: RecordedEvent, attempt: number): void {
    const { ack, nack } = this.#parts;
    this.#queue.put({
      event,
      attempt,
      ack: (options = {}) => ack(event, options),
      nack: (options = {}) => nack(event, options),
    });
  }

  /** What waits is not acknowledged, and comes again on the next connection. */
  disconnected(): void {
    this.#queue.clear();
  }

  end(failure?: { readonly error: unknown }): void {
    this.#queue.end(failure);
  }

  unsubscribe(): Promise<{ readonly left: boolean }> {
    return this.#parts.leave();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.unsubscribe();
  }

  [Symbol.asyncIterator](): AsyncIterator<DeliveredEvent<RecordedEvent>, undefined> {
    return { next: () => this.#queue.next() };
  }
}
