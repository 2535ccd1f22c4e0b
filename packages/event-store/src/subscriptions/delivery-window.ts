import { GenerationMap } from '@esdb-gater/primitives';
import type { Clock, NackAction, Timer } from '@esdb-gater/types';
import type { OpenEntry } from './checkpoint-tracker.ts';
import { Heap } from './heap.ts';
import { PendingEvent, StreamQueue, type Turn, type WindowEvent } from './stream-queue.ts';
import { type ConsumerOptions, type ConsumerSink, WindowConsumer } from './window-consumer.ts';

export interface WindowComponents {
  readonly clock: Pick<Clock, 'monotonic' | 'setTimer'>;
  /** An event needs no more: it was acknowledged or skipped. */
  readonly onSettled: (pending: PendingEvent) => void;
  /** An event was given up. */
  readonly onParked: (pending: PendingEvent, reason: string) => void;
}

/**
 * What an acknowledgement met: `settled`, or nothing: `late` for an event that was handed over, `undelivered` for one
 * that was not sent yet, `unknown` for one that the window does not hold.
 */
export type AckOutcome = 'settled' | 'late' | 'undelivered' | 'unknown';

export interface Refusal {
  readonly action: NackAction;
  readonly delayMs?: number;
  readonly reason?: string;
}

/** How many streams remember their consumer, at least. */
const REMEMBERED_STREAMS = 10_000;

/**
 * The unsettled events of a subscription, and who has them. Pure: it reads nothing and saves nothing.
 *
 * - Events go out in the order of their positions, as far as their streams allow.
 * - A stream's events go out in order, to one consumer at a time. One that is refused or late holds back the later ones:
 *   those in flight are taken back and follow it again.
 * - A stream stays with its consumer while that one is there and has events of it in flight, and also afterwards while
 *   it has room.
 * - Replayed events take turns with the others.
 */
export class DeliveryWindow {
  readonly #components: WindowComponents;
  readonly #consumers = new Set<WindowConsumer>();
  readonly #streams = new Map<string, StreamQueue>();
  /** Who had a stream last. */
  readonly #remembered = new GenerationMap<string, WindowConsumer>(REMEMBERED_STREAMS);
  /** Streams that can be served, by the position of their next event. */
  readonly #ready = new Heap<Turn>();
  /** The same, of streams whose next event is replayed. */
  readonly #readyReplays = new Heap<Turn>();
  /** Streams whose next event has a delay, by its end. */
  readonly #held = new Heap<Turn>();
  #replayedLast = false;
  #size = 0;
  #bytes = 0;
  #retries = 0;
  #movedMs: number;
  #timer: { readonly timer: Timer; readonly dueMs: number } | undefined;
  #pumping = false;
  #isPaused = false;

  constructor(components: WindowComponents) {
    this.#components = components;
    this.#movedMs = components.clock.monotonic();
  }

  /** Unsettled events, in flight or not. */
  get size(): number {
    return this.#size;
  }

  /** Of the texts of all unsettled events. */
  get bytes(): number {
    return this.#bytes;
  }

  get consumers(): number {
    return this.#consumers.size;
  }

  get inFlight(): number {
    let count = 0;
    for (const { inFlight } of this.#consumers) count += inFlight.size;
    return count;
  }

  /** How often events were delivered again. */
  get retries(): number {
    return this.#retries;
  }

  /** When an event was last settled, or a delay ended, on the monotonic clock. */
  get movedMs(): number {
    return this.#movedMs;
  }

  /** Notes that the subscription has moved. */
  touch(): void {
    this.#movedMs = this.#components.clock.monotonic();
  }

  /** True when every unsettled event waits for the end of a delay. */
  get isHeld(): boolean {
    return this.#held.size > 0 && this.inFlight === 0 && this.#ready.size + this.#readyReplays.size === 0;
  }

  /** How long the oldest event in flight waits; 0 without one. */
  get oldestUnackedMs(): number {
    const nowMs = this.#components.clock.monotonic();
    let oldest = nowMs;
    for (const { inFlight } of this.#consumers) {
      for (const { firstDeliveredMs = nowMs } of inFlight) oldest = Math.min(oldest, firstDeliveredMs);
    }
    return nowMs - oldest;
  }

  join(options: ConsumerOptions, sink: ConsumerSink): WindowConsumer {
    const consumer = new WindowConsumer(options, sink);
    this.#consumers.add(consumer);
    return consumer;
  }

  /**
   * Gives the consumer's events to the others.
   *
   * @param isLost its connection broke: of each stream the first event in flight, which may be the cause, has failed
   */
  leave(consumer: WindowConsumer, isLost: boolean): void {
    if (!this.#consumers.delete(consumer)) return;
    const streams = new Set<StreamQueue>();
    for (const { event } of consumer.inFlight) {
      const stream = this.#streams.get(event.streamId);
      if (stream !== undefined) streams.add(stream);
    }
    for (let turn = consumer.blocked.pop(); turn !== undefined; turn = consumer.blocked.pop()) {
      if (turn.stream.turn === turn) streams.add(turn.stream);
    }
    for (const stream of streams) {
      const [first] = stream.events;
      const hasFailed = isLost && first !== undefined && consumer.inFlight.has(first);
      stream.handOver();
      if (hasFailed) this.#fail(stream, first, consumer, 'consumer_lost');
      this.#enqueue(stream, true);
    }
    this.pump();
  }

  /** Adds an event that was read. In the order of their positions. */
  offer(event: WindowEvent, entry: OpenEntry): void {
    this.#add(new PendingEvent(event, entry));
  }

  /** Adds a parked event that is to be delivered again, before the later ones of its stream that were not sent yet. */
  offerReplay(event: WindowEvent, deliveries: number): void {
    const pending = new PendingEvent(event, undefined);
    pending.deliveries = deliveries;
    this.#add(pending);
  }

  /** True when an event of this position is unsettled. */
  holds(streamId: string, position: number): boolean {
    return this.#streams.get(streamId)?.events.some(({ event }) => event.position === position) ?? false;
  }

  ack(consumer: WindowConsumer, streamId: string, version: number, upTo: boolean): AckOutcome {
    const stream = this.#streams.get(streamId);
    const target = stream?.find(version);
    if (target?.deliveries === 0) return 'undelivered';
    const held = stream?.events.filter(
      ({ event, holder }) =>
        holder === consumer && (event.version === version || (upTo && event.version < version)),
    );
    if (stream === undefined || held === undefined || held.length === 0) {
      return target === undefined ? 'unknown' : 'late';
    }
    consumer.stalled = false;
    for (const pending of held) this.#settle(stream, pending);
    this.#unblock(consumer);
    this.pump();
    return 'settled';
  }

  nack(consumer: WindowConsumer, streamId: string, version: number, refusal: Refusal): AckOutcome {
    const stream = this.#streams.get(streamId);
    const pending = stream?.find(version);
    if (stream === undefined || pending === undefined) return 'unknown';
    if (pending.holder !== consumer) return pending.deliveries === 0 ? 'undelivered' : 'late';
    consumer.stalled = false;
    const { action, delayMs = 0, reason } = refusal;
    if (action === 'skip') this.#settle(stream, pending);
    else if (action === 'park') this.#park(stream, pending, reason ?? 'parked by the consumer');
    else {
      stream.recall(pending);
      pending.holder = undefined;
      pending.notBeforeMs = this.#components.clock.monotonic() + delayMs;
      this.#fail(stream, pending, consumer, reason ?? 'refused too often');
    }
    this.#enqueue(stream, true);
    this.#unblock(consumer);
    this.pump();
    return 'settled';
  }

  /** Delivers nothing until `resume`: consumers that join together share the streams. */
  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    for (const consumer of this.#consumers) this.#unblock(consumer);
    this.pump();
  }

  /** Delivers what can be delivered. Call it after `offer`, and when a consumer has room again. */
  pump(): void {
    // A sink may come back here.
    if (this.#pumping || this.#isPaused) return;
    this.#pumping = true;
    try {
      while (this.#deliverOne());
    } finally {
      this.#pumping = false;
    }
    this.#schedule();
  }

  /** Tells that a consumer takes events again. */
  drained(consumer: WindowConsumer): void {
    this.#unblock(consumer);
    this.pump();
  }

  /** Forgets all events; their consumers stay. */
  clear(): void {
    this.#streams.clear();
    this.#ready.clear();
    this.#readyReplays.clear();
    this.#held.clear();
    this.#size = 0;
    this.#bytes = 0;
    for (const consumer of this.#consumers) consumer.clear();
    this.#cancelTimer();
  }

  close(): void {
    this.#consumers.clear();
    this.clear();
  }

  #add(pending: PendingEvent): void {
    const { streamId, bytes } = pending.event;
    let stream = this.#streams.get(streamId);
    if (stream === undefined) {
      stream = new StreamQueue(streamId);
      this.#streams.set(streamId, stream);
    }
    stream.insert(pending);
    if (this.#size === 0) this.touch();
    this.#size += 1;
    this.#bytes += bytes;
    this.#enqueue(stream);
  }

  /** Gives a stream with events to deliver its turn. With `anew` also one that has a turn already. */
  #enqueue(stream: StreamQueue, anew = false): void {
    if (stream.turn !== undefined && !anew) return;
    const { head } = stream;
    if (head === undefined) {
      stream.turn = undefined;
      return;
    }
    if (head.notBeforeMs > this.#components.clock.monotonic()) {
      this.#await(stream, 'held', this.#held, head.notBeforeMs);
      return;
    }
    const heap = head.isReplay ? this.#readyReplays : this.#ready;
    this.#await(stream, 'ready', heap, head.event.position);
  }

  #await(stream: StreamQueue, kind: Turn['kind'], heap: Heap<Turn> | undefined, key: number): void {
    stream.turn = { stream, kind };
    heap?.push(key, stream.turn);
  }

  /** Returns false when nothing can be delivered now. */
  #deliverOne(): boolean {
    const replays = this.#readyReplays;
    const useReplays = replays.size > 0 && (this.#ready.size === 0 || !this.#replayedLast);
    const heap = useReplays ? replays : this.#ready;
    const turn = heap.first;
    if (turn === undefined) return false;
    const { stream } = turn;
    const { head } = stream;
    if (stream.turn !== turn) {
      heap.pop();
      return true;
    }
    if (head === undefined || head.notBeforeMs > this.#components.clock.monotonic()) {
      heap.pop();
      this.#enqueue(stream, true);
      return true;
    }
    const consumer = this.#consumerFor(stream);
    // Nobody has room, so no stream that is free to go anywhere can be served.
    if (consumer === undefined && stream.inFlight === 0) return false;
    heap.pop();
    if (consumer === undefined) {
      this.#await(stream, 'blocked', stream.consumer?.blocked, head.event.position);
      return true;
    }
    this.#replayedLast = head.isReplay;
    this.#deliver(stream, head, consumer);
    this.#enqueue(stream, true);
    return true;
  }

  #consumerFor(stream: StreamQueue): WindowConsumer | undefined {
    if (stream.inFlight > 0) return stream.consumer?.hasRoom === true ? stream.consumer : undefined;
    const last = stream.consumer ?? this.#remembered.get(stream.streamId);
    if (last !== undefined && this.#consumers.has(last) && !last.stalled && last.hasRoom) return last;
    let best: WindowConsumer | undefined;
    for (const consumer of this.#consumers) {
      if (consumer.hasRoom && (best === undefined || isPreferred(consumer, best))) best = consumer;
    }
    return best;
  }

  #deliver(stream: StreamQueue, pending: PendingEvent, consumer: WindowConsumer): void {
    const { streamId } = stream;
    const nowMs = this.#components.clock.monotonic();
    if (this.#remembered.get(streamId) !== consumer) {
      this.#remembered.set(streamId, consumer);
      consumer.streams += 1;
    }
    if (stream.consumer !== consumer) {
      // What another consumer had is no longer its own.
      for (const other of stream.events) other.holder = undefined;
      stream.consumer = consumer;
    }
    stream.inFlight += 1;
    pending.deliveries += 1;
    if (pending.deliveries > 1) this.#retries += 1;
    pending.holder = consumer;
    pending.firstDeliveredMs ??= nowMs;
    pending.deadlineMs = nowMs + consumer.options.ackTimeoutMs;
    consumer.take(pending);
    consumer.sink.deliver(pending);
  }

  #settle(stream: StreamQueue, pending: PendingEvent): void {
    this.#take(stream, pending);
    this.#components.onSettled(pending);
  }

  #park(stream: StreamQueue, pending: PendingEvent, reason: string): void {
    this.#take(stream, pending);
    this.#components.onParked(pending, reason);
  }

  #take(stream: StreamQueue, pending: PendingEvent): void {
    stream.remove(pending);
    this.#size -= 1;
    this.#bytes -= pending.event.bytes;
    this.touch();
    if (stream.events.length === 0) this.#streams.delete(stream.streamId);
  }

  /** Counts a failure of an event that is no longer in flight, and parks it when there were too many. */
  #fail(stream: StreamQueue, pending: PendingEvent, consumer: WindowConsumer, reason: string): void {
    pending.failures += 1;
    if (pending.failures > consumer.options.maxRetries) this.#park(stream, pending, reason);
  }

  /** Lets streams that wait for this consumer's room go on, as many as it has room for. */
  #unblock(consumer: WindowConsumer): void {
    let room = consumer.options.maxInFlight - consumer.inFlight.size;
    while (room > 0 && consumer.blocked.size > 0) {
      const turn = consumer.blocked.pop();
      if (turn === undefined || turn.stream.turn !== turn) continue;
      this.#enqueue(turn.stream, true);
      room -= 1;
    }
  }

  /** Handles late acknowledgements and the ends of delays. */
  #tick(): void {
    const nowMs = this.#components.clock.monotonic();
    while (this.#held.firstKey <= nowMs) {
      const turn = this.#held.pop();
      if (turn !== undefined && turn.stream.turn === turn) this.#enqueue(turn.stream, true);
      this.touch();
    }
    for (const consumer of [...this.#consumers]) {
      for (const pending of [...consumer.inFlight]) {
        if (pending.deadlineMs > nowMs) break;
        // A stream that was handed over has taken its later events along.
        if (pending.holder === consumer && consumer.inFlight.has(pending)) this.#timedOut(pending, consumer);
      }
      this.#unblock(consumer);
    }
    this.pump();
  }

  #timedOut(pending: PendingEvent, consumer: WindowConsumer): void {
    const stream = this.#streams.get(pending.event.streamId);
    if (stream === undefined) return;
    consumer.stalled = true;
    stream.handOver();
    this.#fail(stream, pending, consumer, 'not acknowledged in time');
    this.#enqueue(stream, true);
  }

  #schedule(): void {
    let dueMs = this.#held.firstKey;
    for (const { inFlight } of this.#consumers) {
      for (const { deadlineMs } of inFlight) {
        dueMs = Math.min(dueMs, deadlineMs);
        break;
      }
    }
    // A timer that fires too early only looks again.
    if (this.#timer !== undefined && this.#timer.dueMs <= dueMs) return;
    this.#cancelTimer();
    if (dueMs === Number.POSITIVE_INFINITY) return;
    const { clock } = this.#components;
    const run = (): void => {
      this.#timer = undefined;
      this.#tick();
    };
    const delayMs = Math.max(0, dueMs - clock.monotonic());
    this.#timer = { timer: clock.setTimer(run, delayMs, { unref: true }), dueMs };
  }

  #cancelTimer(): void {
    this.#timer?.timer.cancel();
    this.#timer = undefined;
  }
}

/** A consumer that answers before one that does not, then the one with less to do. */
function isPreferred(one: WindowConsumer, other: WindowConsumer): boolean {
  if (one.stalled !== other.stalled) return !one.stalled;
  if (one.inFlight.size !== other.inFlight.size) return one.inFlight.size < other.inFlight.size;
  return one.streams < other.streams;
}
