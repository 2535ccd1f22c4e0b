import type { AnyEvent, Gater } from '@esdb-gater/gater';
import { nextTurn, positionLost, sleep } from '@esdb-gater/primitives';
import { calculateDelay, type RetryPolicy } from '@esdb-gater/retry';
import { type Clock, type EventQuery, GaterError, type RecordedEvent } from '@esdb-gater/types';
import {
  type GenerationHealth,
  type ProjectionProblem,
  type ProjectionProgress,
  type ProjectionStatus,
  problemOf,
} from './projection-health.ts';
import type { ProjectionGeneration, ProjectionStore, ProjectionTransaction } from './projection-store.ts';

/** What a run needs of its projection. */
export interface RunParts<Model> {
  readonly name: string;
  readonly gater: Gater<AnyEvent>;
  readonly storeId: string;
  readonly query: EventQuery | undefined;
  readonly store: ProjectionStore<Model>;
  readonly handle: (event: RecordedEvent, model: Model) => void | PromiseLike<void>;
  readonly policy: RetryPolicy;
  /** Events of a transaction. */
  readonly batchEvents: number;
  /** A transaction takes no further event after this. */
  readonly batchMs: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly onProgress: (progress: ProjectionProgress) => void;
  /** Called with every event up to `position` applied and committed. It may reject: then the run tries again. */
  readonly onCaughtUp: (position: number) => void | Promise<void>;
  /** Called when the status or the position has changed. */
  readonly onChange: () => void;
}

/** Why a run has ended. */
export type RunEnd = 'stopped' | 'failed' | 'rebuild_needed' | 'replaced';

const CAUGHT_UP = Symbol('caught up');
/** Who fails: the follow, the database of the read model, or what applies events and switches generations. */
type Phase = 'following' | 'opening' | 'applying';

/**
 * Applies the events of a store to one generation of a read model, in transactions of many events that also hold the
 * checkpoint. What fails is rolled back and read again from the checkpoint.
 */
export class GenerationRun<Model> {
  readonly #parts: RunParts<Model>;
  readonly #stop = new AbortController();
  readonly #row: ProjectionGeneration;
  readonly #ended: Promise<RunEnd>;
  isLive: boolean;
  #status: ProjectionStatus = 'catching_up';
  #problem: ProjectionProblem | undefined;
  #position: number;
  #caughtUpTo = 0;
  /** Failures in a row. */
  #failures = 0;
  /** Those of them that are not outages. */
  #faults = 0;
  #phase: Phase = 'following';
  #current: RecordedEvent | undefined;
  /** Up to here each event has a transaction of its own, so that all before the one that fails are applied. */
  #singleUpTo = 0;

  constructor(parts: RunParts<Model>, row: ProjectionGeneration) {
    this.#parts = parts;
    this.#row = row;
    this.#position = row.position;
    this.isLive = row.isLive;
    this.#ended = this.#run();
  }

  get generation(): number {
    return this.#row.generation;
  }

  /** Resolves with the reason when the run has ended. It never rejects. */
  get ended(): Promise<RunEnd> {
    return this.#ended;
  }

  /** The position of the last event that was applied and committed. */
  get position(): number {
    return this.#position;
  }

  /** Every wanted event up to here is applied and committed. */
  get reachedPosition(): number {
    return Math.max(this.#position, this.#caughtUpTo);
  }

  get status(): ProjectionStatus {
    return this.#status;
  }

  health(): GenerationHealth {
    const { generation, version } = this.#row;
    const error = this.#problem;
    return {
      generation,
      version,
      status: this.#status,
      position: this.#position,
      ...(error === undefined ? {} : { error }),
    };
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }

  async #run(): Promise<RunEnd> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        this.#phase = 'opening';
        if (!(await this.#load())) return this.#end('replaced');
        if (!(await this.#follow())) return this.#end('replaced');
      } catch (error) {
        if (signal.aborted) break;
        const end = this.#noteFailure(error);
        if (end !== undefined) return this.#end(end);
        const { policy, clock, random } = this.#parts;
        const delayMs = calculateDelay(this.#failures - 1, policy, random);
        await sleep(delayMs, clock, signal, { unref: true }).catch(() => undefined);
      }
    }
    return this.#end('stopped');
  }

  #end(end: RunEnd): RunEnd {
    this.#set(end === 'stopped' ? 'idle' : end);
    return end;
  }

  #set(status: ProjectionStatus): void {
    this.#status = status;
    this.#parts.onChange();
  }

  /** Returns the reason to give up, or undefined to try again. */
  #noteFailure(error: unknown): RunEnd | undefined {
    this.#failures += 1;
    const isFollowing = this.#phase === 'following';
    const failed = this.#phase === 'applying' ? this.#current?.position : undefined;
    this.#problem = problemOf(error, this.#failures, failed);
    if (failed !== undefined) this.#singleUpTo = failed;
    if (isFollowing && isPositionLost(error)) return 'rebuild_needed';
    const isOutage = this.#phase === 'opening' || (isFollowing && GaterError.is(error) && error.retriable);
    if (!isOutage) this.#faults += 1;
    if (!isOutage && this.#faults >= this.#parts.policy.maxAttempts) return 'failed';
    this.#set('retrying');
    return undefined;
  }

  /** Reads the checkpoint, which another process may have moved. Returns false when the generation is gone. */
  async #load(): Promise<boolean> {
    const rows = await this.#parts.store.generations(this.#parts.name);
    const row = rows.find(({ generation }) => generation === this.generation);
    if (row === undefined) return false;
    this.#checkpoint = row;
    this.#position = row.position;
    return true;
  }

  #checkpoint: { readonly position: number; readonly eventId?: string } = { position: 0 };

  /** Follows from the checkpoint until the checkpoint was moved by another process (true), or the generation is gone (false). */
  async #follow(): Promise<boolean> {
    const { gater, storeId, query } = this.#parts;
    const { position, eventId } = this.#checkpoint;
    this.#phase = 'following';
    const own = new AbortController();
    let caughtUp = Promise.withResolvers<typeof CAUGHT_UP>();
    let caughtUpTo = 0;
    const iterator = gater.follow(
      {
        storeId,
        ...(query === undefined ? {} : { query }),
        after: position,
        ...(eventId === undefined ? {} : { afterId: eventId }),
      },
      {
        signal: AbortSignal.any([this.#stop.signal, own.signal]),
        onCaughtUp: (upTo) => {
          caughtUpTo = upTo;
          caughtUp.resolve(CAUGHT_UP);
        },
      },
    ) as unknown as AsyncIterableIterator<RecordedEvent, undefined>;
    const following: Following = { iterator, next: nextOf(iterator) };
    try {
      for (;;) {
        this.#phase = 'following';
        const turn = await Promise.race([caughtUp.promise, following.next]);
        if (turn === CAUGHT_UP) {
          caughtUp = Promise.withResolvers();
          this.#phase = 'applying';
          this.#current = undefined;
          await this.#caughtUp(caughtUpTo);
          continue;
        }
        if (turn.done === true) {
          if (this.#stop.signal.aborted) return true;
          throw new GaterError('unavailable', 'the follow has ended: the client was closed');
        }
        this.#phase = 'opening';
        const opened = await this.#parts.store.begin(this.#parts.name, this.generation, this.#position);
        if (opened === 'moved') return true;
        if (opened === 'replaced') return false;
        this.#phase = 'applying';
        await this.#applyBatch(turn.value, following, opened);
      }
    } finally {
      own.abort();
      // It has ended by the signal; the call is only for iterators that hold on to something.
      void iterator.return?.().catch(() => undefined);
    }
  }

  async #applyBatch(
    first: RecordedEvent,
    following: Following,
    transaction: ProjectionTransaction<Model>,
  ): Promise<void> {
    const { clock, batchEvents, batchMs, handle } = this.#parts;
    const startMs = clock.monotonic();
    let event: RecordedEvent | undefined = first;
    let last = first;
    let count = 0;
    try {
      let before = this.#position;
      while (event !== undefined) {
        this.#current = event;
        if (event.position <= before) {
          // The store was restored under the follow: these positions had other events.
          this.#phase = 'following';
          throw positionLost(before, event.position);
        }
        await handle(event, transaction.model);
        before = event.position;
        last = event;
        count += 1;
        following.next = nextOf(following.iterator);
        const limit: number = event.position <= this.#singleUpTo ? 1 : batchEvents;
        const isFull: boolean =
          count >= limit || clock.monotonic() - startMs >= batchMs || this.#stop.signal.aborted;
        event = isFull ? undefined : await readyEvent(following);
      }
      await transaction.commit({ position: last.position, eventId: last.id });
    } catch (error) {
      // The error of the event is the one to report; a rollback fails only with its connection.
      await transaction.rollback().catch(() => undefined);
      throw error;
    }
    this.#committed(last, count);
  }

  #committed(last: RecordedEvent, events: number): void {
    const { name, clock, onProgress, onChange } = this.#parts;
    this.#position = last.position;
    this.#current = undefined;
    this.#succeeded();
    if (this.#status === 'retrying') this.#status = 'catching_up';
    onProgress({
      name,
      generation: this.generation,
      isLive: this.isLive,
      position: last.position,
      events,
      lagMs: Math.max(0, clock.now() - last.epochUs / 1_000),
    });
    onChange();
  }

  async #caughtUp(position: number): Promise<void> {
    await this.#parts.onCaughtUp(position);
    this.#caughtUpTo = position;
    this.#succeeded();
    this.#set('live');
  }

  #succeeded(): void {
    this.#failures = 0;
    this.#faults = 0;
    this.#problem = undefined;
  }
}

/** A follow and its next event, which is asked for before the last one is committed. */
interface Following {
  readonly iterator: AsyncIterator<RecordedEvent, undefined>;
  next: Promise<IteratorResult<RecordedEvent, undefined>>;
}

function nextOf(
  iterator: AsyncIterator<RecordedEvent, undefined>,
): Promise<IteratorResult<RecordedEvent, undefined>> {
  const next = iterator.next();
  // It is awaited later, or never when the commit fails first.
  next.catch(() => undefined);
  return next;
}

/** Returns the next event if it is there within this turn of the event loop. */
async function readyEvent({ next }: Following): Promise<RecordedEvent | undefined> {
  const turn = await Promise.race([next.catch(() => undefined), nextTurn()]);
  return turn?.done === false ? turn.value : undefined;
}

function isPositionLost(error: unknown): boolean {
  return GaterError.is(error, 'invalid_argument') && error.details.reason === 'position_lost';
}
