import { AsyncQueue } from '@esdb-gater/primitives';
import type { NackAction } from '@esdb-gater/protocol';
import type { RecordedEvent, Subscription } from '@esdb-gater/types';

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
  /** Acknowledges the event; with `upTo`, also all earlier events of its stream. */
  ack(options?: { readonly upTo?: boolean }): Promise<{ readonly checkpoint: number }>;
  /** Refuses the event: it is delivered again, parked or skipped. */
  nack(options?: NackOptions): Promise<{ readonly checkpoint: number }>;
}

/**
 * Events of a persistent subscription, delivered at least once and in order per stream. It has one reader. After a
 * lost connection the client joins it again, and events that were not acknowledged are delivered again.
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

/** A joined subscription. `maxInFlight` limits its buffer, since the gateway waits for acknowledgements. */
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

  /** Drops the buffered events. They are not acknowledged, so they are delivered again. */
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
