import { nextTurn, retryUntilAborted, type TraceContext, waitUntil } from '@esdb-gater/primitives';
import {
  type Broker,
  type Clock,
  type FeedCheckpoint,
  GaterError,
  type Logger,
  type OutgoingRecord,
  type RecordedEvent,
  type StorePage,
  type StorePoint,
  silentLogger,
  systemClock,
} from '@esdb-gater/types';
import { EventPoint } from '../tail/event-proof.ts';
import { checkOrder, StoreHistory } from '../tail/store-history.ts';
import type { TailStore } from '../tail/tail-store.ts';
import { type FeedOptions, type ResolvedFeedOptions, resolveFeedOptions } from './feed-options.ts';
import { feedRecord } from './feed-record.ts';
import { type PublishRecord, publishBatch } from './publish-batch.ts';
import { ThrottledCheckpoint } from './throttled-checkpoint.ts';
import { WakeSignal } from './wake-signal.ts';

export interface FeedComponents {
  readonly source: TailStore;
  /** Takes the records, on its channel `events`. Either this or `publish`. */
  readonly broker?: Pick<Broker, 'append'>;
  readonly publish?: PublishRecord;
  /** Where the feed goes on after a restart. Without one it starts at the store's beginning. */
  readonly checkpoint?: FeedCheckpoint;
  /** Returns the trace context of the call that appended an event, if that is known. @default none */
  readonly traceOf?: (event: RecordedEvent) => TraceContext | undefined;
  /** @default silent */
  readonly logger?: Logger;
  /** @default the platform's */
  readonly clock?: Clock;
  /** @default Math.random */
  readonly random?: () => number;
}

export interface FeedHealth {
  readonly status: 'healthy' | 'degraded';
  /** Everything up to here was accepted by the broker. */
  readonly position: number;
  /** Says why, when not healthy. */
  readonly message?: string;
}

/** Publishes every event that a store commits. */
export interface Feed {
  /** Everything up to here was accepted by the broker. */
  readonly position: number;
  health(): FeedHealth;
  /** Resolves when everything is published that was committed before the call. Rejects when the feed is closed. */
  caughtUp(options?: { readonly signal?: AbortSignal }): Promise<void>;
  /** Stops, waits for what is in flight and saves the checkpoint. */
  close(): Promise<void>;
}

const NOT_SAVED: FeedCheckpoint = Object.freeze({
  load: async () => ({ position: 0 }),
  save: async () => {},
});

/** How often a record that the broker calls impossible is tried before it is left out. */
const IMPOSSIBLE_ATTEMPTS = 5;

/** How long `health` tells that the feed has gone back. */
const WENT_BACK_SHOWN_MS = 3_600_000;

/**
 * Starts the feed of a store to the channel `events`: in stream order, at least once, from the checkpoint on. Errors of
 * the store and the broker never end it: it retries them, ever more slowly.
 *
 * A checkpoint is proved by the event that it was reached with. When the store does not have that event, because it was
 * restored from a backup or begun anew, the feed goes back to the last point that the store proves, and `health` says so.
 *
 * Leaves out only a record that the broker refuses several times as `invalid_argument` or `payload_too_large`, with an
 * error in the log, as it would stop all others for ever.
 *
 * @throws `invalid_argument` for wrong options
 */
export function createFeed(components: FeedComponents, options: FeedOptions = {}): Feed {
  const { source, broker, publish } = components;
  const resolved = resolveFeedOptions(options, source.onCommitted !== undefined);
  const send =
    publish ??
    (broker && ((record, signal) => broker.append('events', record, { signal }) satisfies Promise<unknown>));
  if (send === undefined) throw new TypeError('a feed needs a broker or a publish function');
  const feed = new StoreFeed(components, send, resolved);
  feed.start();
  return feed;
}

class StoreFeed implements Feed {
  readonly #source: TailStore;
  readonly #history: StoreHistory;
  readonly #publish: PublishRecord;
  readonly #options: ResolvedFeedOptions;
  readonly #traceOf: FeedComponents['traceOf'];
  readonly #logger: Logger;
  readonly #random: () => number;
  readonly #checkpoint: ThrottledCheckpoint;
  readonly #wakeSignal: WakeSignal;
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  /** Ends what is in flight at the broker, some time after `#stop`. */
  readonly #cut = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #detach: (() => void) | undefined;
  /** The last event that the broker accepted. */
  #point: StorePoint = { position: 0 };
  /** False until the store has proved that it still has the event at `#point`. */
  #proven = false;
  /** True until the first event after going back, or from the beginning, is published. */
  #wentBack = false;
  #trouble: string | undefined;
  #notice: { readonly message: string; readonly untilMs: number } | undefined;
  /** Reads that have begun, and the last of them that found nothing more to publish. */
  #reads = 0;
  #readToEnd = 0;
  /** Called whenever `#readToEnd` has moved. */
  readonly #endReached = new Set<() => void>();

  constructor(components: FeedComponents, publish: PublishRecord, options: ResolvedFeedOptions) {
    const clock = components.clock ?? systemClock;
    this.#clock = clock;
    this.#source = components.source;
    this.#history = new StoreHistory(components.source);
    this.#publish = publish;
    this.#options = options;
    this.#traceOf = components.traceOf;
    this.#logger = components.logger ?? silentLogger;
    this.#random = components.random ?? Math.random;
    const { checkpointEvents: everyEvents, checkpointDelayMs: delayMs } = options;
    this.#checkpoint = new ThrottledCheckpoint(
      components.checkpoint ?? NOT_SAVED,
      { everyEvents, delayMs },
      clock,
      this.#logger,
    );
    this.#wakeSignal = new WakeSignal(clock, this.#stop.signal);
  }

  get position(): number {
    return this.#point.position;
  }

  health(): FeedHealth {
    const { position } = this;
    if (this.#trouble !== undefined) return { status: 'degraded', position, message: this.#trouble };
    if (this.#notice !== undefined && this.#clock.monotonic() < this.#notice.untilMs) {
      return { status: 'degraded', position, message: this.#notice.message };
    }
    return { status: 'healthy', position };
  }

  start(): void {
    this.#detach = this.#source.onCommitted?.((position) => {
      if (position > this.position || this.#source.replaceable === true) this.#wakeSignal.wake();
    });
    this.#running = this.#run();
  }

  async caughtUp(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    // A read that has begun may have missed the newest event, the next one does not.
    const wanted = this.#reads + 1;
    const onEndReached = (listener: () => void): (() => void) => {
      this.#endReached.add(listener);
      return () => void this.#endReached.delete(listener);
    };
    this.#wakeSignal.wake();
    await waitUntil(() => this.#readToEnd >= wanted, onEndReached, {
      signal: AbortSignal.any([this.#stop.signal, ...(options.signal ? [options.signal] : [])]),
      abortError: () => new GaterError('timeout', 'the feed did not catch up in time'),
    });
  }

  async close(): Promise<void> {
    this.#detach?.();
    const reason = new GaterError('unavailable', 'the feed is closed');
    this.#stop.abort(reason);
    const cut = this.#clock.setTimer(() => this.#cut.abort(reason), this.#options.closeGraceMs);
    await this.#running;
    cut.cancel();
    await this.#checkpoint.flush();
  }

  async #run(): Promise<void> {
    await this.#repeat('its checkpoint', async () => {
      this.#point = await this.#checkpoint.load();
      // Whatever was published of an earlier store of this name counts no longer.
      this.#wentBack = this.position === 0;
    });
    while (!this.#stop.signal.aborted) {
      const page = await this.#repeat('the store', () => this.#read());
      if (page === undefined) return;
      if (page.events.length > 0 && !(await this.#publishPage(page))) return;
      if (page.next !== undefined) continue;
      this.#readToEnd = this.#reads;
      for (const listener of this.#endReached) listener();
      await this.#wakeSignal.sleep(this.#options.pollMs);
      if (this.#source.newestEvents !== undefined) await behindAnswers();
    }
  }

  /** Reads the next page, after a proof that it belongs to the history that was published so far. */
  async #read(): Promise<StorePage> {
    this.#wakeSignal.reset();
    this.#reads += 1;
    if (!this.#proven) await this.#proveOrGoBack();
    const page = await this.#readPage();
    // An empty page says nothing about how far the store is: only events move the feed.
    const isBehind = page.events.length === 0 && page.lastPosition < this.position;
    const isDoubtful = isBehind || (this.#source.replaceable === true && page.events.length > 0);
    if (!isDoubtful || !(await this.#proveOrGoBack())) return page;
    return this.#readPage();
  }

  async #readPage(): Promise<StorePage> {
    const { storeId } = this.#source;
    const { maxInFlight: limit } = this.#options;
    const params = { storeId, after: this.position, limit };
    const page =
      this.#source.newestEvents?.(this.position, limit) ??
      (await this.#source.readAll(params, { signal: this.#stop.signal }));
    checkOrder(page, this.position);
    return page;
  }

  /** Returns true when the store does not have the event that was published last, and the feed went back. */
  async #proveOrGoBack(): Promise<boolean> {
    const context = { signal: this.#stop.signal };
    const point = this.#point;
    const proven = await this.#history.prove(point, context);
    if (proven === undefined) this.#goBack(await this.#history.lastProven(this.#checkpoint.earlier, context));
    else this.#point = proven;
    this.#proven = true;
    return proven === undefined;
  }

  #goBack(to: StorePoint): void {
    const { storeId } = this.#source;
    const from = this.#point;
    const message =
      `the store no longer has the event at position ${from.position} (restored, or begun anew): ` +
      `its events after position ${to.position} are published again`;
    this.#logger.warn({ storeId, from: from.position, to: to.position }, message);
    this.#notice = { message, untilMs: this.#clock.monotonic() + WENT_BACK_SHOWN_MS };
    this.#point = to;
    this.#wentBack = true;
    this.#checkpoint.goBack(to);
  }

  /** Resolves to false when the feed was closed before. */
  async #publishPage({ events }: StorePage): Promise<boolean> {
    const { topic, realm } = this.#options;
    let records: readonly OutgoingRecord[] = events.map((event, index) =>
      feedRecord(event, topic, realm, index === 0 && this.#wentBack, this.#traceOf?.(event)),
    );
    const refusals = new Map<OutgoingRecord, number>();
    const published = await this.#repeat('the broker', async () => {
      const outcome = await publishBatch(records, this.#publish, this.#cut.signal);
      records = outcome.remaining;
      const { error, failed } = outcome;
      if (error === undefined || failed === undefined) return true;
      if (this.#isImpossible(failed, error, refusals)) {
        records = records.filter((record) => record !== failed);
      } else {
        // What precedes the first failure is out, and need not be published again after a restart.
        const accepted = events.findLast(({ position }) => position < (failed.fed?.position ?? 0));
        if (accepted !== undefined) this.#advance(new EventPoint(accepted));
      }
      if (records.length === 0) return true;
      throw error;
    });
    const last = events.at(-1);
    if (published !== true || last === undefined) return false;
    this.#wentBack = false;
    this.#advance(new EventPoint(last));
    return true;
  }

  /** Counts a refusal that no retry can change, and returns true when there were enough. */
  #isImpossible(record: OutgoingRecord, error: GaterError, refusals: Map<OutgoingRecord, number>): boolean {
    if (error.code !== 'invalid_argument' && error.code !== 'payload_too_large') return false;
    const count = (refusals.get(record) ?? 0) + 1;
    refusals.set(record, count);
    if (count < IMPOSSIBLE_ATTEMPTS) return false;
    const { id, topic, fed } = record;
    this.#logger.error(
      { err: error, id, topic, fed },
      'left an event out of the feed: the broker cannot take it',
    );
    return true;
  }

  #advance(point: StorePoint): void {
    if (point.position <= this.position) return;
    this.#point = point;
    this.#checkpoint.reach(point);
  }

  /** Retries until it works. Resolves to undefined when the feed was closed before. */
  #repeat<Result>(what: string, attempt: () => Promise<Result>): Promise<Result | undefined> {
    const { baseDelayMs, maxDelayMs } = this.#options;
    const trial = async (): Promise<Result> => {
      const result = await attempt();
      this.#recovered();
      return result;
    };
    return retryUntilAborted(trial, {
      clock: this.#clock,
      signal: this.#stop.signal,
      backoff: (failures) =>
        Math.min(baseDelayMs * 2 ** failures, maxDelayMs) * (0.75 + 0.25 * this.#random()),
      onFailure: (error) => this.#failed(what, GaterError.from(error)),
    });
  }

  #failed(what: string, error: GaterError): void {
    const { storeId } = this.#source;
    // What is served next may be another database.
    if (this.#source.replaceable === true) this.#proven = false;
    // Logged once per outage, which may last for hours.
    if (this.#trouble === undefined) {
      this.#logger.warn({ storeId, err: error, position: this.position }, `the feed waits for ${what}`);
    }
    this.#trouble = `waiting for ${what}: ${error.message}`;
  }

  #recovered(): void {
    if (this.#trouble !== undefined) {
      const { storeId } = this.#source;
      this.#logger.info({ storeId, position: this.position }, 'the feed goes on');
    }
    this.#trouble = undefined;
  }
}

/**
 * Waits until the answers to the appends were sent, which a store that keeps its newest events would otherwise not leave
 * time for. They are written at the end of the turn that the commit was reported in, so this is the turn after it.
 */
async function behindAnswers(): Promise<void> {
  await nextTurn();
  await nextTurn();
}
