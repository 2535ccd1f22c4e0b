import type { OpenEntry } from './checkpoint-tracker.ts';
import type { WindowConsumer } from './window-consumer.ts';

/** An event as the window keeps it: its JSON is text, so that its size is known and nobody can change it. */
export interface WindowEvent {
  readonly position: number;
  readonly streamId: string;
  readonly version: number;
  readonly eventId: string;
  /** The `RecordedEvent` as JSON. */
  readonly text: string;
  readonly bytes: number;
}

/** An event that is not settled. */
export class PendingEvent {
  readonly event: WindowEvent;
  /** Of the checkpoint; undefined for a parked event that is replayed. */
  readonly entry: OpenEntry | undefined;
  /** How often it was delivered. */
  deliveries = 0;
  /** How often it was refused, or not acknowledged in time. */
  failures = 0;
  /** The consumer whose acknowledgement counts: it got the event and has not lost it to another one. */
  holder: WindowConsumer | undefined;
  /** While in flight: when the acknowledgement is late. */
  deadlineMs = 0;
  firstDeliveredMs: number | undefined;
  /** It is not delivered again before. */
  notBeforeMs = 0;

  constructor(event: WindowEvent, entry: OpenEntry | undefined) {
    this.event = event;
    this.entry = entry;
  }

  get isReplay(): boolean {
    return this.entry === undefined;
  }
}

/** A stream that waits for its next delivery. Only its newest turn counts; earlier ones are left behind in their heaps. */
export interface Turn {
  readonly stream: StreamQueue;
  /** Ready, or waiting for the room of its consumer, or for the end of a delay. */
  readonly kind: 'ready' | 'blocked' | 'held';
}

/** The unsettled events of one stream, in the order of delivery. */
export class StreamQueue {
  readonly streamId: string;
  readonly events: PendingEvent[] = [];
  /** How many of the first events are in flight. */
  inFlight = 0;
  /** Who has the events in flight. */
  consumer: WindowConsumer | undefined;
  turn: Turn | undefined;

  constructor(streamId: string) {
    this.streamId = streamId;
  }

  /** The next event to deliver. */
  get head(): PendingEvent | undefined {
    return this.events[this.inFlight];
  }

  find(version: number): PendingEvent | undefined {
    return this.events.find(({ event }) => event.version === version);
  }

  /** Adds an event before the later ones that are not in flight. */
  insert(pending: PendingEvent): void {
    const { position } = pending.event;
    let at = this.events.length;
    while (at > this.inFlight && (this.events[at - 1] as PendingEvent).event.position > position) at--;
    this.events.splice(at, 0, pending);
  }

  /** Takes an event out, in flight or not. */
  remove(pending: PendingEvent): void {
    const at = this.events.indexOf(pending);
    if (at === 0) this.events.shift();
    else this.events.splice(at, 1);
    if (at >= this.inFlight) return;
    this.inFlight -= 1;
    pending.holder?.give(pending);
  }

  /**
   * Takes back the events in flight from this one on: they are delivered again, in order. The consumer can still
   * acknowledge them.
   */
  recall(from: PendingEvent): void {
    const at = this.events.indexOf(from);
    for (let index = at; index < this.inFlight; index++) {
      const pending = this.events[index] as PendingEvent;
      pending.holder?.give(pending);
    }
    this.inFlight = Math.min(this.inFlight, at);
  }

  /** Takes all events back from the consumer, whose acknowledgements no longer count. */
  handOver(): void {
    const [first] = this.events;
    if (first !== undefined) this.recall(first);
    for (const pending of this.events) pending.holder = undefined;
    this.consumer = undefined;
  }
}
