import { retryUntilAborted, SingleFlight, waitUntil } from '@esdb-gater/primitives';
import {
  type Clock,
  type EventQuery,
  GaterError,
  type Logger,
  type RecordedEvent,
  type StorePoint,
  silentLogger,
  systemClock,
  type Timer,
} from '@esdb-gater/types';
import { PageSharing, SHARED_PAGE_EVENTS, type SharedPage } from './page-sharing.ts';
import { StoreHistory } from './store-history.ts';
import { type TailPage, TailPosition } from './tail-position.ts';
import type { TailStore } from './tail-store.ts';

export interface TailReadOptions {
  /** An exclusive position, with the proof of its event where that is known. */
  readonly after: StorePoint;
  /** Earlier points of the same history, newest first, to go back to. @default the store's beginning */
  readonly earlier?: readonly StorePoint[];
  /** Wanted events. @default all. The store must serve `readAll` with a `query`. */
  readonly query?: EventQuery;
  /** Ends the reading. */
  readonly signal: AbortSignal;
}

/**
 * Reads a store up to its end and then waits for commits, for many readers. Readers of the same page share one read, few
 * readers that are far behind read at the same time, and one timer polls for all.
 */
export interface StoreTail {
  /**
   * Yields pages for ever, each after the one before. A page without events is yielded where `upTo` moved, where the end
   * is reached for the first time after events, and where the reader went back. A reader that does not take pages costs nothing. Failures of the store
   * are retried, ever more slowly. Ends when the signal aborts or the tail is closed.
   *
   * @throws only `not_supported` and `invalid_argument`, of a store that refuses the query
   */
  read(options: TailReadOptions): AsyncGenerator<TailPage, void, undefined>;
  /** Returns the newest position of the store. @throws what `readAll` throws */
  newest(): Promise<number>;
  /** The newest position that the tail has heard of; 0 before it heard of any. */
  readonly newestSeen: number;
  /** Why readers wait, when the store fails. */
  readonly trouble: string | undefined;
  /** Ends all readers. */
  close(): void;
}

export interface StoreTailComponents {
  readonly store: TailStore;
  /** @default the platform's */
  readonly clock?: Clock;
  /** @default silent */
  readonly logger?: Logger;
  /** @default Math.random */
  readonly random?: () => number;
}

export interface StoreTailOptions {
  /** How often readers at the end ask the store. @default 250 without `onCommitted`, 5 000 with it */
  readonly pollMs?: number;
  /**
   * How often they ask a store that has not told of its last commits: before its first notice, after one was missed, and
   * after the position 0, which a store tells when notices may have been lost.
   *
   * @default pollMs
   */
  readonly unnotifiedPollMs?: number;
  /** The delay before the first retry; it doubles up to `maxDelayMs`. @default 100 */
  readonly baseDelayMs?: number;
  /** @default 5 000 */
  readonly maxDelayMs?: number;
}

/** Creates the shared reader of a store. It does nothing while nobody reads. */
export function createStoreTail(components: StoreTailComponents, options: StoreTailOptions = {}): StoreTail {
  return new SharedTail(components, options);
}

const BEGINNING: StorePoint = Object.freeze({ position: 0 });

/** Errors that come again however often the store is asked. */
const FINAL_CODES: ReadonlySet<string> = new Set(['not_supported', 'invalid_argument']);

class SharedTail implements StoreTail {
  readonly #store: TailStore;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #random: () => number;
  readonly #options: Required<StoreTailOptions>;
  readonly #sharing: PageSharing<RecordedEvent>;
  readonly #history: StoreHistory;
  readonly #newest: SingleFlight<number>;
  readonly #stop = new AbortController();
  readonly #proofs = new Map<string, Promise<StorePoint | undefined>>();
  /** Called after each commit and poll. */
  readonly #waiting = new Set<() => void>();
  #commits = 0;
  #newestSeen = 0;
  /** The position of the last notice. */
  #notifiedOf = 0;
  /** False while commits may come without a notice. */
  #isNotified = false;
  #readers = 0;
  #detach: (() => void) | undefined;
  #poll: Timer | undefined;
  #trouble: string | undefined;
  /** Counts the failures of the store: what is served after one may be another database. */
  #outages = 0;

  constructor(components: StoreTailComponents, options: StoreTailOptions) {
    const { store } = components;
    this.#store = store;
    this.#clock = components.clock ?? systemClock;
    this.#logger = components.logger ?? silentLogger;
    this.#random = components.random ?? Math.random;
    const pollMs = store.onCommitted === undefined ? 250 : 5_000;
    this.#options = {
      pollMs,
      unnotifiedPollMs: options.pollMs ?? pollMs,
      baseDelayMs: 100,
      maxDelayMs: 5_000,
      ...options,
    };
    this.#sharing = new PageSharing<RecordedEvent>(
      store,
      (event) => event,
      this.#clock,
      () => this.#commits,
    );
    this.#history = new StoreHistory(store);
    this.#newest = new SingleFlight(async () => {
      const { storeId } = store;
      // A page that begins after the end has no events, and says where the end is.
      return (await store.readAll({ storeId, after: Number.MAX_SAFE_INTEGER, limit: 1 })).lastPosition;
    });
  }

  get newestSeen(): number {
    return this.#newestSeen;
  }

  get trouble(): string | undefined {
    return this.#trouble;
  }

  async newest(): Promise<number> {
    const position = await this.#newest.run();
    this.#newestSeen = position;
    return position;
  }

  close(): void {
    this.#stop.abort();
  }

  async *read({ after, earlier = [], query, signal }: TailReadOptions): AsyncGenerator<TailPage, void> {
    const ended = AbortSignal.any([signal, this.#stop.signal]);
    const reader = new TailPosition(after, earlier);
    this.#joined();
    try {
      while (!ended.aborted) {
        const shared = await this.#repeat(ended, () => this.#readPage(reader, query));
        if (shared === undefined) return;
        const page = reader.take(shared, query !== undefined);
        if (page !== undefined) yield page;
        if (shared.atEnd) await this.#commitAfter(shared.stamp, ended);
      }
    } finally {
      this.#left();
    }
  }

  /** Reads the next page of a reader, after a proof that it belongs to the history that was read so far. */
  async #readPage(reader: TailPosition, query: EventQuery | undefined): Promise<SharedPage<RecordedEvent>> {
    if (reader.provedIn !== this.#outages) await this.#proveOrGoBack(reader);
    const page = await this.#fetch(reader.position, query);
    const isBehind = page.upTo < reader.position;
    const isDoubtful = isBehind || (this.#store.replaceable === true && page.events.length > 0);
    if (!isDoubtful || !(await this.#proveOrGoBack(reader, isBehind))) return page;
    return this.#fetch(reader.position, query);
  }

  async #fetch(after: number, query: EventQuery | undefined): Promise<SharedPage<RecordedEvent>> {
    const outages = this.#outages;
    // A reader that has almost caught up would fall behind again while it waits for its turn.
    const isNear = this.#newestSeen > 0 && this.#newestSeen - after <= SHARED_PAGE_EVENTS;
    const page = await (isNear ? this.#sharing.readUnkept(after, query) : this.#sharing.read(after, query));
    if (outages !== this.#outages && this.#store.replaceable === true) {
      throw new GaterError('unavailable', 'the store failed while a page was read');
    }
    if (page.upTo < after) this.#newestSeen = page.upTo;
    else this.#newestSeen = Math.max(this.#newestSeen, page.upTo);
    if (page.upTo > this.#notifiedOf) this.#setNotified(false);
    return page;
  }

  /**
   * Returns true when the store does not have the event that was read last, and the reader went back.
   *
   * @param isBehind the store ends before the reader
   */
  async #proveOrGoBack(reader: TailPosition, isBehind = false): Promise<boolean> {
    const outages = this.#outages;
    const to = await this.#lastCommonPoint(reader, isBehind);
    reader.provedIn = outages;
    if (to === undefined) return false;
    const { storeId } = this.#store;
    this.#logger.warn(
      { storeId, from: reader.position, to: to.position },
      'the store was restored or begun anew: a reader goes back',
    );
    reader.goBack(to);
    return true;
  }

  /** Returns where the reader must go back to; undefined when it stands on a point of the present history. */
  async #lastCommonPoint(reader: TailPosition, isBehind: boolean): Promise<StorePoint | undefined> {
    const { anchor, earlier, position } = reader;
    const proven = await this.#prove(anchor);
    if (proven !== undefined) reader.anchor = proven;
    // A position that the caller named without a proof is not doubted, even when the store does not reach so far.
    if (proven !== undefined || anchor.proof === undefined) {
      return isBehind && anchor.position < position ? reader.anchor : undefined;
    }
    for (const point of earlier) if ((await this.#prove(point)) !== undefined) return point;
    return BEGINNING;
  }

  /** Proves a point; readers at the same point share the read. */
  #prove(point: StorePoint): Promise<StorePoint | undefined> {
    const key = `${point.position} ${point.proof ?? ''}`;
    let proving = this.#proofs.get(key);
    if (proving === undefined) {
      proving = this.#history.prove(point, {}).finally(() => this.#proofs.delete(key));
      this.#proofs.set(key, proving);
    }
    return proving;
  }

  /** Waits for a commit, or the next poll, after the moment of that stamp. */
  async #commitAfter(stamp: number, signal: AbortSignal): Promise<void> {
    this.#schedulePoll();
    const onCommit = (listener: () => void): (() => void) => {
      this.#waiting.add(listener);
      return () => void this.#waiting.delete(listener);
    };
    await waitUntil(() => this.#commits !== stamp, onCommit, { signal }).catch(() => false);
    if (this.#waiting.size === 0) this.#cancelPoll();
  }

  #joined(): void {
    this.#readers += 1;
    if (this.#readers > 1) return;
    this.#detach = this.#store.onCommitted?.((position) => {
      this.#newestSeen = Math.max(this.#newestSeen, position);
      this.#notifiedOf = position;
      this.#setNotified(position > 0);
      this.#wake();
    });
  }

  #setNotified(isNotified: boolean): void {
    if (isNotified === this.#isNotified) return;
    this.#isNotified = isNotified;
    if (this.#poll === undefined) return;
    this.#cancelPoll();
    this.#schedulePoll();
  }

  #left(): void {
    this.#readers -= 1;
    if (this.#readers > 0) return;
    this.#detach?.();
    this.#cancelPoll();
  }

  #wake(): void {
    this.#commits += 1;
    for (const listener of [...this.#waiting]) listener();
  }

  #schedulePoll(): void {
    this.#poll ??= this.#clock.setTimer(
      () => {
        this.#poll = undefined;
        this.#wake();
      },
      this.#isNotified ? this.#options.pollMs : this.#options.unnotifiedPollMs,
      { unref: true },
    );
  }

  #cancelPoll(): void {
    this.#poll?.cancel();
    this.#poll = undefined;
  }

  #repeat<Result>(signal: AbortSignal, attempt: () => Promise<Result>): Promise<Result | undefined> {
    const { baseDelayMs, maxDelayMs } = this.#options;
    const trial = async (): Promise<Result> => {
      const result = await attempt();
      if (this.#trouble !== undefined) {
        this.#logger.info({ storeId: this.#store.storeId }, 'the store can be read again');
        this.#trouble = undefined;
      }
      return result;
    };
    return retryUntilAborted(trial, {
      clock: this.#clock,
      signal,
      backoff: (failures) =>
        Math.min(baseDelayMs * 2 ** failures, maxDelayMs) * (0.75 + 0.25 * this.#random()),
      onFailure: (error) => this.#failed(GaterError.from(error)),
    });
  }

  #failed(error: GaterError): void {
    if (FINAL_CODES.has(error.code)) throw error;
    const { storeId } = this.#store;
    this.#outages += 1;
    // Logged once per outage, which may last for hours.
    if (this.#trouble === undefined) this.#logger.warn({ storeId, err: error }, 'readers wait for the store');
    this.#trouble = `waiting for the store: ${error.message}`;
  }
}
