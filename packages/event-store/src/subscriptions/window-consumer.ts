import { Heap } from './heap.ts';
import type { PendingEvent, Turn } from './stream-queue.ts';

/** Bytes of events that a consumer may have unacknowledged. */
const MAX_IN_FLIGHT_BYTES = 16_777_216;

export interface ConsumerOptions {
  /** Events that it may have unacknowledged. */
  readonly maxInFlight: number;
  /** After this an unacknowledged event comes again. */
  readonly ackTimeoutMs: number;
  /** After this many failures beyond the first an event is parked. */
  readonly maxRetries: number;
}

/** How the window gives an event to a consumer. */
export interface ConsumerSink {
  deliver(pending: PendingEvent): void;
  isReady(): boolean;
}

/** A consumer as the window knows it. */
export class WindowConsumer {
  options: ConsumerOptions;
  readonly sink: ConsumerSink;
  /** In the order of delivery, which is that of their deadlines. */
  readonly inFlight: Set<PendingEvent> = new Set();
  inFlightBytes = 0;
  /** Streams with events in flight here, whose next events wait for room. By the position of their next event. */
  readonly blocked: Heap<Turn> = new Heap();
  /** True after an acknowledgement was late, until the consumer answers again: others are preferred. */
  stalled = false;
  /** How many streams were given to it. */
  streams = 0;

  constructor(options: ConsumerOptions, sink: ConsumerSink) {
    this.options = options;
    this.sink = sink;
  }

  /** It may take one more event, and any number of bytes up to a bound: its own buffer is then bounded, too. */
  get hasRoom(): boolean {
    const { size } = this.inFlight;
    return size < this.options.maxInFlight && this.inFlightBytes < MAX_IN_FLIGHT_BYTES && this.sink.isReady();
  }

  take(pending: PendingEvent): void {
    if (this.inFlight.has(pending)) return;
    this.inFlight.add(pending);
    this.inFlightBytes += pending.event.bytes;
  }

  give(pending: PendingEvent): void {
    if (this.inFlight.delete(pending)) this.inFlightBytes -= pending.event.bytes;
  }

  /** Forgets everything. */
  clear(): void {
    this.inFlight.clear();
    this.inFlightBytes = 0;
    this.blocked.clear();
  }
}
