import type { AnyEvent, CallOptions, Gater } from '@esdb-gater/gater';
import { requireInteger, sleep, uuidV7 } from '@esdb-gater/primitives';
import { calculateDelay, type RetryPolicyOptions, retryPolicy } from '@esdb-gater/retry';
import {
  type Clock,
  GaterError,
  type JsonValue,
  type NewEvent,
  type RecordedEvent,
  type Timer,
} from '@esdb-gater/types';
import { clockOf, storeIdOf } from '../defaults.ts';
import { createEffects, type Effects } from '../effects/effect-context.ts';
import type { Scheduler, TimerRequest } from '../effects/scheduler.ts';
import { DueQueue } from './due-queue.ts';
import { readSettled, recordSettled } from './settled-mark.ts';
import {
  endedEvent,
  type PendingTimer,
  readTimerEvent,
  scheduledEvent,
  TIMER_CANCELLED,
  TIMER_FIRED,
  timeOf,
} from './timer-events.ts';

/** A timer that is due. */
export interface DueTimer<Message> {
  readonly id: string;
  /** When it was to fire. */
  readonly at: Date;
  readonly message: Message;
}

export interface TimersParams<Message, A extends AnyEvent> {
  /** Must not have a schema, since the events of timers are not events of the program. */
  readonly gater: Gater<AnyEvent, A>;
  /** @default the store of the `Gater` (its option `storeId`), else 'default' */
  readonly storeId?: string;
  /** Names the stream of the timers, `timers-<name>`. */
  readonly name: string;
  /** Is called with each timer that is due, at least once. After a failure it is called again. */
  readonly fire: (timer: DueTimer<Message>, effects: Effects<A>) => void | PromiseLike<void>;
  /** When a timer that failed fires again; it is never given up. @default 100 ms up to 30 s */
  readonly retry?: Pick<RetryPolicyOptions, 'baseDelayMs' | 'maxDelayMs'>;
  /** Timers that may wait. With more, the timers fail and `health` says so. @default 100 000 */
  readonly maxPending?: number;
  /** @default that of a `TestGater`, else the system clock */
  readonly clock?: Clock;
  /** Returns a number from 0 (inclusive) to 1 (exclusive). @default Math.random */
  readonly random?: () => number;
}

export interface TimersHealth {
  readonly name: string;
  readonly status: 'idle' | 'running' | 'retrying' | 'failed';
  /** How many timers wait, as far as the stream was read. */
  readonly pending: number;
  /** How many of them have failed and will fire again. */
  readonly failing: number;
  /** When the next one is due. */
  readonly next?: Date;
  readonly error?: { readonly message: string; readonly code?: string };
}

/** Timers that survive a restart: they are events in a stream of their own. */
export interface Timers<Message> extends Scheduler<Message>, AsyncDisposable {
  readonly name: string;
  /** Cancels a timer. One that is firing, or has fired, is not undone. */
  cancel(id: string, options?: CallOptions): Promise<void>;
  /** Reads the timers that wait, and begins to fire them. @throws the errors of reading */
  start(): Promise<Timers<Message>>;
  /** Stops after the timer that is firing. */
  stop(): Promise<void>;
  health(): TimersHealth;
}

/** A clock may be set: the next timer is looked at again after this. */
const MAX_WAIT_MS = 60_000;
/** Events of the stream after which it is noted from where the next start must read. */
const MARK_EVERY = 500;

/**
 * Creates timers. What a timer does has ids that are derived from the timer, so that a repeat does nothing.
 *
 * @throws `invalid_argument` for an invalid option
 */
export function timers<Message, A extends AnyEvent = NewEvent>(
  params: TimersParams<Message, A>,
): Timers<Message> {
  return new RunningTimers<Message>(params as unknown as TimersParams<Message, AnyEvent>);
}

class RunningTimers<Message> implements Timers<Message> {
  readonly name: string;
  readonly #params: TimersParams<Message, AnyEvent>;
  readonly #gater: Gater;
  readonly #clock: Clock;
  readonly #stream: { readonly storeId: string; readonly streamId: string };
  readonly #maxPending: number;
  readonly #policy: ReturnType<typeof retryPolicy>;
  #queue = new DueQueue();
  /** How often each timer has failed. */
  readonly #failures = new Map<string, number>();
  #stop = new AbortController();
  #reading: Promise<void> | undefined;
  #firing: Promise<void> | undefined;
  #alarm: Timer | undefined;
  /** Nothing fires before the whole stream is known, which may say that a timer has fired. */
  #isCaughtUp = false;
  #status: TimersHealth['status'] = 'idle';
  #error: TimersHealth['error'];
  #lastVersion = -1;
  #markedVersion = -1;

  constructor(params: TimersParams<Message, AnyEvent>) {
    this.name = params.name;
    this.#params = params;
    this.#gater = params.gater as unknown as Gater;
    this.#clock = clockOf(params);
    this.#stream = { storeId: storeIdOf(params), streamId: `timers-${params.name}` };
    this.#maxPending = requireInteger('maxPending', params.maxPending ?? 100_000, { min: 1 });
    this.#policy = retryPolicy(params.retry);
  }

  async schedule(request: TimerRequest<Message>, options?: CallOptions): Promise<string> {
    const { id = uuidV7(), message, correlationId } = request;
    const event = scheduledEvent(id, timeOf(request.at), message as JsonValue, correlationId);
    try {
      await this.#gater.appendEvents({ ...this.#stream, events: [event] }, options);
    } catch (error) {
      // The timer is scheduled already, at another time or with another message.
      if (!GaterError.is(error, 'invalid_argument') || error.details.reason !== 'id_conflict') throw error;
    }
    return id;
  }

  async cancel(id: string, options?: CallOptions): Promise<void> {
    await this.#gater.appendEvents({ ...this.#stream, events: [endedEvent(id, TIMER_CANCELLED)] }, options);
  }

  async start(): Promise<Timers<Message>> {
    if (this.#reading !== undefined) return this;
    this.#stop = new AbortController();
    const started = Promise.withResolvers<void>();
    this.#reading = this.#read(this.#stop.signal, started).finally(() => {
      this.#reading = undefined;
    });
    await started.promise;
    return this;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#alarm?.cancel();
    await Promise.all([this.#reading, this.#firing]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  health(): TimersHealth {
    const next = this.#queue.next();
    return {
      name: this.name,
      status: this.#status,
      pending: this.#queue.size,
      failing: this.#failures.size,
      ...(next === undefined ? {} : { next: new Date(next.timer.atMs) }),
      ...(this.#error === undefined ? {} : { error: this.#error }),
    };
  }

  /** Follows the stream of the timers until the stop. */
  async #read(signal: AbortSignal, started: PromiseWithResolvers<void>): Promise<void> {
    let isFromStart = false;
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        await this.#follow(signal, isFromStart, () => {
          failures = 0;
          isFromStart = false;
          this.#status = 'running';
          started.resolve();
        });
      } catch (error) {
        if (signal.aborted) break;
        this.#noteError(error);
        // The store was restored, and no longer has the mark: it is read from its beginning.
        if (isPositionLost(error) && !isFromStart) {
          isFromStart = true;
          continue;
        }
        if (!GaterError.is(error) || !error.retriable) {
          this.#status = 'failed';
          this.#stop.abort();
          started.reject(error);
          return;
        }
        this.#status = 'retrying';
        const delayMs = calculateDelay(failures, this.#policy, this.#params.random);
        await sleep(delayMs, this.#clock, signal, { unref: true }).catch(() => undefined);
      }
    }
    this.#status = 'idle';
    started.resolve();
  }

  async #follow(signal: AbortSignal, isFromStart: boolean, onCaughtUp: () => void): Promise<void> {
    const settled = isFromStart ? undefined : await readSettled(this.#gater, this.#stream);
    this.#queue = new DueQueue();
    this.#isCaughtUp = false;
    this.#markedVersion = settled?.version ?? -1;
    this.#lastVersion = this.#markedVersion;
    const from = settled === undefined ? {} : { after: settled.position, afterId: settled.id };
    const events = this.#gater.follow(
      { ...this.#stream, ...from },
      {
        signal,
        onCaughtUp: () => {
          this.#isCaughtUp = true;
          onCaughtUp();
          this.#arm();
        },
      },
    );
    for await (const event of events) {
      this.#take(event);
      if (this.#isCaughtUp && event.version - this.#markedVersion >= MARK_EVERY) await this.#mark();
    }
    if (!signal.aborted) {
      throw new GaterError('unavailable', 'the follow has ended: the client was closed');
    }
  }

  #take(event: RecordedEvent): void {
    this.#lastVersion = Math.max(this.#lastVersion, event.version);
    const read = readTimerEvent(event);
    if (read === undefined) return;
    if (read.scheduled === undefined) {
      this.#queue.remove(read.id);
      this.#failures.delete(read.id);
    } else if (this.#queue.size < this.#maxPending) {
      this.#queue.add(read.scheduled);
    } else {
      throw new GaterError('internal', `more than ${this.#maxPending} timers of ${this.name} wait`);
    }
    this.#arm();
  }

  async #mark(): Promise<void> {
    const version = (this.#queue.lowestVersion() ?? this.#lastVersion + 1) - 1;
    const marked = this.#markedVersion;
    // Also when it fails it is not tried again before as many events: a mark only shortens the next start.
    this.#markedVersion = this.#lastVersion;
    if (version > marked) await recordSettled(this.#gater, this.#stream, version).catch(() => undefined);
  }

  /** Sets the alarm for the timer that is due next. */
  #arm(): void {
    this.#alarm?.cancel();
    if (!this.#isCaughtUp || this.#firing !== undefined || this.#stop.signal.aborted) return;
    const next = this.#queue.next();
    if (next === undefined) return;
    const waitMs = Math.min(MAX_WAIT_MS, Math.max(0, next.dueMs - this.#clock.now()));
    this.#alarm = this.#clock.setTimer(() => {
      this.#firing ??= this.#fireDue().finally(() => {
        this.#firing = undefined;
        this.#arm();
      });
    }, waitMs);
  }

  async #fireDue(): Promise<void> {
    for (;;) {
      const next = this.#queue.next();
      if (next === undefined || next.dueMs > this.#clock.now() || this.#stop.signal.aborted) return;
      try {
        await this.#fire(next.timer);
        this.#queue.remove(next.timer.id);
        this.#failures.delete(next.timer.id);
        if (this.#failures.size === 0) this.#error = undefined;
      } catch (error) {
        this.#noteError(error);
        // It may have been cancelled meanwhile.
        if (!this.#queue.has(next.timer.id)) continue;
        const failures = this.#failures.get(next.timer.id) ?? 0;
        this.#failures.set(next.timer.id, failures + 1);
        const delayMs = calculateDelay(failures, this.#policy, this.#params.random);
        this.#queue.add(next.timer, this.#clock.now() + delayMs);
      }
    }
  }

  async #fire({ id, atMs, version }: PendingTimer): Promise<void> {
    const page = await this.#gater.getEvents({ ...this.#stream, startVersion: version, count: 1 });
    const event = page.events[0];
    const data = event?.data as { readonly timerId?: string; readonly message?: Message } | undefined;
    // The stream was deleted: the timer is gone with it.
    if (event === undefined || data?.timerId !== id) return;
    const { gater, fire, name } = this.#params;
    const correlationId = String(event.metadata['correlationId'] ?? id);
    const effects = createEffects(gater, this.#stream.storeId, { id, correlationId, name });
    await fire({ id, at: new Date(atMs), message: data.message as Message }, effects);
    await this.#gater.appendEvents({ ...this.#stream, events: [endedEvent(id, TIMER_FIRED)] });
  }

  #noteError(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#error = { message, ...(GaterError.is(error) ? { code: error.code } : {}) };
  }
}

function isPositionLost(error: unknown): boolean {
  return GaterError.is(error, 'invalid_argument') && error.details.reason === 'position_lost';
}
