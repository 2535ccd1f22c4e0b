import { onNextTurn, waitUntil } from '@esdb-gater/primitives';
import {
  type AckEventParams,
  type Clock,
  GaterError,
  type JoinedConsumer,
  type Logger,
  type NackEventParams,
  type NamedSubscription,
  type SaveSubscriptionParams,
  type StorePoint,
  type Subscription,
  type SubscriptionConsumer,
  type SubscriptionRecord,
  type SubscriptionStats,
  type Timer,
} from '@esdb-gater/types';
import { ThrottledCheckpoint } from '../feed/throttled-checkpoint.ts';
import { EventPoint } from '../tail/event-proof.ts';
import type { StoreTail } from '../tail/store-tail.ts';
import type { BufferBudget } from './buffer-budget.ts';
import { CheckpointTracker } from './checkpoint-tracker.ts';
import { resolveConsumerOptions } from './consumer-options.ts';
import { type AckOutcome, DeliveryWindow } from './delivery-window.ts';
import { notDelivered } from './errors.ts';
import { windowEvent } from './event-texts.ts';
import { ParkedEvents } from './parked-events.ts';
import { compileSelector, type Selects } from './selector.ts';
import type { PendingEvent } from './stream-queue.ts';
import type { SubscribedStore } from './subscribed-store.ts';
import { wasSent } from './was-sent.ts';
import type { WindowConsumer } from './window-consumer.ts';

/** Unsettled events of a subscription that are kept in memory, and their bytes. */
const MAX_BUFFERED_EVENTS = 5_000;
const MAX_BUFFERED_BYTES = 8 * 1_048_576;

/** How far a subscription reads on behind an event that is not settled, in wanted events. */
const MAX_TRACKED_EVENTS = 100_000;

/** The checkpoint is saved when it has moved so far, and at the latest after the delay. */
const CHECKPOINT_POSITIONS = 4_096;
const CHECKPOINT_DELAY_MS = 100;

/** How long unsettled events are kept for the next consumer after the last one has left. */
const KEPT_WITHOUT_CONSUMERS_MS = 60_000;

/** A subscription with consumers that does not move for so long is a problem. */
const STALLED_AFTER_MS = 60_000;

/** How long `problem` tells that the subscription has gone back. */
const WENT_BACK_SHOWN_MS = 3_600_000;

const MAX_CONSUMERS = 1_000;

export interface RunningComponents {
  readonly store: SubscribedStore;
  readonly tail: StoreTail;
  readonly budget: BufferBudget;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A persistent subscription of this process: reads its store while it has consumers. */
export class RunningSubscription {
  readonly #components: RunningComponents;
  #record: SubscriptionRecord;
  readonly #selects: Selects;
  readonly #window: DeliveryWindow;
  readonly #tracker: CheckpointTracker;
  readonly #checkpoint: ThrottledCheckpoint;
  readonly #parked: ParkedEvents;
  readonly #consumers = new Map<WindowConsumer, SubscriptionConsumer>();
  readonly #onRoom = new Set<() => void>();
  readonly #stop = new AbortController();
  #reading: AbortController | undefined;
  #read: Promise<void> = Promise.resolve();
  #idle: Timer | undefined;
  #budgeted = 0;
  /** The newest event that was ever sent or settled. */
  #sentTo: number;
  #parkedCount: number;
  /** The parking that began last. */
  #parking: Promise<void> | undefined;
  #isRemoved = false;
  #isStarting = false;
  /** When there were consumers again, on the monotonic clock. */
  #joinedMs = 0;
  /** When something was read last, on the monotonic clock. */
  #readMs: number;
  #trouble: string | undefined;
  #notice: { readonly message: string; readonly untilMs: number } | undefined;

  constructor(components: RunningComponents, record: SubscriptionRecord) {
    const { store, clock, logger } = components;
    this.#components = components;
    this.#readMs = clock.monotonic();
    this.#record = record;
    this.#selects = compileSelector(record.type, record.selector);
    this.#sentTo = record.checkpoint.position;
    this.#parkedCount = record.parked;
    this.#tracker = new CheckpointTracker(record.checkpoint);
    const { name } = record;
    this.#checkpoint = new ThrottledCheckpoint(
      {
        load: async () => record.checkpoint,
        // A subscription that is made anew under this name has a checkpoint of its own.
        save: async (position) => {
          if (!this.#isRemoved) await store.subscriptionState.saveCheckpoint(name, position);
        },
      },
      {
        everyEvents: CHECKPOINT_POSITIONS,
        delayMs: CHECKPOINT_DELAY_MS,
        owner: `the subscription ${JSON.stringify(name)}`,
      },
      clock,
      logger,
    );
    this.#window = new DeliveryWindow({
      clock,
      onSettled: (pending) => this.#settled(pending),
      onParked: (pending, reason) => {
        this.#parking = this.#park(pending, reason);
      },
    });
    this.#parked = new ParkedEvents({
      store,
      name,
      clock,
      replay: (event, attempts) => {
        this.#window.offerReplay(windowEvent(event), attempts);
        this.#account();
        this.#window.pump();
      },
      onTrouble: (message) => {
        this.#trouble = message;
      },
      signal: this.#stop.signal,
    });
  }

  get record(): SubscriptionRecord {
    return this.#record;
  }

  get checkpoint(): number {
    return this.#tracker.checkpoint.position;
  }

  get consumers(): number {
    return this.#consumers.size;
  }

  /** Must be called once, before anything else. */
  async open(): Promise<void> {
    await this.#checkpoint.load();
  }

  view(newest: number, parked: number = this.#parkedCount): Subscription {
    const { name, type, selector, startFrom, createdMs } = this.#record;
    const { checkpoint } = this;
    return {
      storeId: this.#components.store.storeId,
      name,
      type,
      selector,
      startFrom,
      checkpoint,
      lag: Math.max(0, newest - checkpoint),
      parked,
      createdAt: new Date(createdMs).toISOString(),
      subscribers: this.#consumers.size,
    };
  }

  /** @throws `overloaded` when there are too many consumers */
  join(params: SaveSubscriptionParams, consumer: SubscriptionConsumer, view: Subscription): JoinedConsumer {
    if (this.#consumers.size >= MAX_CONSUMERS) {
      throw new GaterError('overloaded', `a subscription must have at most ${MAX_CONSUMERS} consumers`);
    }
    const joined = this.#window.join(resolveConsumerOptions(params, this.#record), {
      isReady: () => consumer.isReady?.() !== false,
      deliver: (pending) => this.#deliver(pending, consumer),
    });
    this.#consumers.set(joined, consumer);
    this.#idle?.cancel();
    this.#parked.resume();
    this.#startSoon();
    if (this.#consumers.size === 1) this.#joinedMs = this.#components.clock.monotonic();
    return {
      subscription: { ...view, subscribers: this.#consumers.size },
      ack: (ackParams) => this.#ack(joined, ackParams),
      nack: (nackParams) => this.#nack(joined, nackParams),
      drained: () => this.#window.drained(joined),
      leave: (isLost = false) => this.#leave(joined, isLost),
    };
  }

  /** Marked events are to be replayed. */
  replay(count: number): void {
    this.#parkedCount = Math.max(0, this.#parkedCount - count);
    this.#parked.wake();
  }

  stats(): SubscriptionStats {
    const { storeId } = this.#components.store;
    const { newestSeen } = this.#components.tail;
    return {
      storeId,
      name: this.#record.name,
      consumers: this.#consumers.size,
      lag: Math.max(0, newestSeen - this.checkpoint),
      parked: this.#parkedCount,
      inFlight: this.#window.inFlight,
      retries: this.#window.retries,
      oldestUnackedMs: this.#window.oldestUnackedMs,
    };
  }

  /** Says why the subscription is not healthy. */
  problem(): string | undefined {
    const name = JSON.stringify(this.#record.name);
    const nowMs = this.#components.clock.monotonic();
    if (this.#trouble !== undefined) return `subscription ${name} is ${this.#trouble}`;
    const hasWork =
      this.#window.size > 0 || this.#components.tail.newestSeen > this.#tracker.lastRead.position;
    const movedMs = this.#window.size > 0 ? this.#window.movedMs : this.#readMs;
    const stoodMs = nowMs - Math.max(movedMs, this.#joinedMs);
    if (this.#consumers.size > 0 && hasWork && !this.#window.isHeld && stoodMs >= STALLED_AFTER_MS) {
      const seconds = Math.floor(stoodMs / 1_000);
      return `subscription ${name} has consumers and events, but has not moved for ${seconds} s`;
    }
    if (this.#notice !== undefined && nowMs < this.#notice.untilMs) return this.#notice.message;
    return undefined;
  }

  /**
   * Starts anew from a point; the consumers stay. What is in flight is forgotten.
   *
   * @throws what the store throws; nothing has changed then
   */
  async reset(startFrom: number | 'latest', point: StorePoint): Promise<void> {
    const { subscriptionState } = this.#components.store;
    const { name } = this.#record;
    await subscriptionState.reset(name, startFrom, this.#checkpoint.positionAfter(point));
    this.#reading?.abort();
    await this.#read;
    this.#checkpoint.goBack(point);
    this.#record = { ...this.#record, startFrom };
    this.#forgetUnsettled(point);
    this.#parkedCount = (await subscriptionState.load(name))?.parked ?? 0;
    this.#startReading();
  }

  /** Ends the consumers and everything else. The checkpoint is saved, unless the subscription was removed. */
  async close(error: GaterError, isRemoved = false): Promise<void> {
    this.#isRemoved = isRemoved;
    this.#stop.abort(error);
    this.#idle?.cancel();
    this.#reading?.abort();
    this.#endConsumers(error);
    await this.#read;
    if (!isRemoved) await this.#parked.flush();
    await this.#checkpoint.flush();
  }

  #deliver(pending: PendingEvent, consumer: SubscriptionConsumer): void {
    const { event, deliveries } = pending;
    this.#sentTo = Math.max(this.#sentTo, event.position);
    consumer.deliver({
      storeId: this.#components.store.storeId,
      name: this.#record.name,
      eventText: event.text,
      attempt: deliveries,
    });
  }

  async #ack(
    consumer: WindowConsumer,
    { streamId, eventNumber, upTo = false }: Pick<AckEventParams, 'streamId' | 'eventNumber' | 'upTo'>,
  ): Promise<number> {
    return this.#answer(this.#window.ack(consumer, streamId, eventNumber, upTo), streamId, eventNumber);
  }

  async #nack(
    consumer: WindowConsumer,
    { streamId, eventNumber, ...refusal }: Omit<NackEventParams, keyof NamedSubscription>,
  ): Promise<number> {
    this.#parking = undefined;
    const outcome = this.#window.nack(consumer, streamId, eventNumber, refusal);
    // An event that was parked is kept before the caller is told.
    await this.#parking;
    return this.#answer(outcome, streamId, eventNumber);
  }

  async #answer(outcome: AckOutcome, streamId: string, eventNumber: number): Promise<number> {
    const sent =
      outcome === 'unknown'
        ? await wasSent(this.#components.store, { streamId, eventNumber }, (event) => {
            return event.position <= this.#sentTo && this.#selects(event);
          })
        : outcome !== 'undelivered';
    if (!sent) throw notDelivered(streamId, eventNumber);
    return this.checkpoint;
  }

  #leave(joined: WindowConsumer, isLost: boolean): void {
    if (!this.#consumers.delete(joined)) return;
    this.#window.leave(joined, isLost);
    if (this.#consumers.size > 0) return;
    this.#reading?.abort();
    this.#parked.pause(false);
    const { clock } = this.#components;
    const release = (): void => this.#release();
    this.#idle = clock.setTimer(release, KEPT_WITHOUT_CONSUMERS_MS, { unref: true });
  }

  /** Forgets the unsettled events, as nobody wants them: they are read again. */
  #release(): void {
    if (this.#consumers.size > 0) return;
    this.#forgetUnsettled(this.#tracker.checkpoint);
  }

  #forgetUnsettled(point: StorePoint): void {
    this.#window.clear();
    this.#parked.pause(true);
    this.#tracker.restart(point);
    this.#account();
    if (this.#consumers.size > 0) this.#parked.resume();
  }

  /** Delivers from the next turn on: the answers to calls come before the events. */
  #startSoon(): void {
    if (this.#isStarting) return;
    this.#isStarting = true;
    this.#window.pause();
    onNextTurn(() => {
      this.#isStarting = false;
      this.#startReading();
      this.#window.resume();
    });
  }

  #startReading(): void {
    if (this.#consumers.size === 0 || this.#stop.signal.aborted) return;
    if (this.#reading?.signal.aborted === false) return;
    const reading = new AbortController();
    this.#reading = reading;
    this.#read = this.#read.then(() => this.#readAll(reading.signal));
  }

  /** Reads until there are no consumers. */
  async #readAll(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted && (await this.#readHistory(signal)));
    } catch (error) {
      if (signal.aborted) return;
      const { logger, store } = this.#components;
      const { storeId } = store;
      logger.error({ err: error, storeId, name: this.#record.name }, 'a store cannot be subscribed to');
      this.#reading?.abort();
      this.#endConsumers(GaterError.from(error));
    }
  }

  #endConsumers(error: GaterError): void {
    const consumers = [...this.#consumers.values()];
    this.#consumers.clear();
    this.#window.close();
    this.#account();
    this.#parked.pause(true);
    this.#tracker.restart(this.#tracker.checkpoint);
    for (const consumer of consumers) consumer.ended(error);
  }

  /** Reads until there are no consumers. Returns true when the store turned out to have another history. */
  async #readHistory(signal: AbortSignal): Promise<boolean> {
    const { tail } = this.#components;
    const after = this.#tracker.lastRead;
    const saved = this.#checkpoint.earlier;
    const { checkpoint } = this.#tracker;
    const earlier = checkpoint.position < after.position ? [checkpoint, ...saved] : saved;
    for await (const page of tail.read({ after, earlier, signal })) {
      if (signal.aborted) return false;
      if (page.wentBackTo !== undefined) {
        this.#goBack(page.wentBackTo);
        return true;
      }
      for (const event of page.events) {
        if (!this.#selects(event)) {
          this.#tracker.pass(new EventPoint(event));
          continue;
        }
        if (!this.#hasRoom()) await this.#waitForRoom(signal);
        if (signal.aborted) return false;
        this.#window.offer(windowEvent(event), this.#tracker.open(new EventPoint(event)));
        this.#account();
      }
      this.#readMs = this.#components.clock.monotonic();
      this.#window.pump();
      this.#advance();
    }
    return false;
  }

  async #waitForRoom(signal: AbortSignal): Promise<void> {
    this.#window.pump();
    this.#advance();
    const onChange = (listener: () => void): (() => void) => {
      this.#onRoom.add(listener);
      const remove = this.#components.budget.onRoom(listener);
      return () => {
        this.#onRoom.delete(listener);
        remove();
      };
    };
    await waitUntil(() => this.#hasRoom(), onChange, { signal }).catch(() => false);
  }

  #hasRoom(): boolean {
    const { size, bytes } = this.#window;
    // One event always fits, so that no subscription waits for the others for ever.
    if (size === 0) return true;
    return (
      size < MAX_BUFFERED_EVENTS &&
      bytes < MAX_BUFFERED_BYTES &&
      this.#tracker.size < MAX_TRACKED_EVENTS &&
      this.#components.budget.hasRoom
    );
  }

  /** Tells the budget of all subscriptions what this one buffers. */
  #account(): void {
    const { bytes } = this.#window;
    this.#components.budget.add(bytes - this.#budgeted);
    this.#budgeted = bytes;
  }

  #settled(pending: PendingEvent): void {
    this.#account();
    if (pending.entry === undefined) this.#parked.settled(pending.event.position);
    else this.#tracker.settle(pending.entry);
    this.#advance();
    for (const listener of [...this.#onRoom]) listener();
  }

  async #park(pending: PendingEvent, reason: string): Promise<void> {
    const { clock, logger, store } = this.#components;
    const { event, deliveries, entry } = pending;
    this.#account();
    for (const listener of [...this.#onRoom]) listener();
    logger.warn(
      { storeId: store.storeId, name: this.#record.name, position: event.position, reason },
      'parked an event',
    );
    const kept = await this.#parked.park({
      position: event.position,
      eventId: event.eventId,
      reason,
      attempts: deliveries,
      parkedMs: clock.now(),
    });
    if (!kept) return;
    this.#parkedCount += 1;
    if (entry === undefined) return;
    // Only now may the checkpoint pass the event.
    this.#tracker.settle(entry);
    this.#advance();
  }

  #advance(): void {
    const point = this.#tracker.checkpoint;
    this.#sentTo = Math.max(this.#sentTo, point.position);
    if (!this.#stop.signal.aborted) this.#checkpoint.reach(point);
  }

  /** The store no longer has what was read after a position. */
  #goBack(position: number): void {
    const { store, logger, clock } = this.#components;
    const { checkpoint } = this.#tracker;
    const { name } = this.#record;
    const isBehindCheckpoint = position < checkpoint.position;
    const to = isBehindCheckpoint
      ? (this.#checkpoint.earlier.find((point) => point.position === position) ?? { position })
      : checkpoint;
    const message =
      `the store of subscription ${JSON.stringify(name)} was restored or begun anew: ` +
      `its events after position ${to.position} are delivered again`;
    logger.warn({ storeId: store.storeId, name, from: checkpoint.position, to: to.position }, message);
    if (isBehindCheckpoint) {
      this.#checkpoint.goBack(to);
      this.#notice = { message, untilMs: clock.monotonic() + WENT_BACK_SHOWN_MS };
    }
    this.#forgetUnsettled(to);
  }
}
