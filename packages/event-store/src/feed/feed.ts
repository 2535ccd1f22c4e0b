import { retryUntilAborted, waitUntil } from '@esdb-gater/primitives';
import {
  type Broker,
  type CallContext,
  type Clock,
  type FeedCheckpoint,
  GaterError,
  type Logger,
  type OutgoingRecord,
  type ReadAllParams,
  type StorePage,
  silentLogger,
  systemClock,
} from '@esdb-gater/types';
import { type FeedOptions, type ResolvedFeedOptions, resolveFeedOptions } from './feed-options.ts';
import { feedRecord } from './feed-record.ts';
import { type PublishRecord, publishBatch } from './publish-batch.ts';
import { ThrottledCheckpoint } from './throttled-checkpoint.ts';
import { WakeSignal } from './wake-signal.ts';

/** The store whose events are fed: an `EventStore`, or functions over a remote worker. */
export interface FeedStore {
  readonly storeId: string;
  readAll(params: ReadAllParams, context?: CallContext): Promise<StorePage>;
  /** Without it the store is polled. */
  onCommitted?(listener: (position: number) => void): () => void;
}

export interface FeedComponents {
  readonly source: FeedStore;
  /** Takes the records, on its channel `events`. Either this or `publish`. */
  readonly broker?: Pick<Broker, 'append'>;
  readonly publish?: PublishRecord;
  /** Where the feed goes on after a restart. Without one it starts at the store's beginning. */
  readonly checkpoint?: FeedCheckpoint;
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
  /** In words, when not healthy. */
  readonly message?: string;
}

/** Publishes every event that a store commits. */
export interface Feed {
  /** Everything up to here was accepted by the broker. */
  readonly position: number;
  health(): FeedHealth;
  /** Resolves when everything is published that was committed at the time of the call. Rejects when the feed is closed. */
  caughtUp(options?: { readonly signal?: AbortSignal }): Promise<void>;
  /** Stops, waits for what is in flight and saves the checkpoint. */
  close(): Promise<void>;
}

const NOWHERE: FeedCheckpoint = Object.freeze({ load: async () => 0, save: async () => {} });

/** How often a record that the broker calls impossible is tried before it is left out. */
const IMPOSSIBLE_ATTEMPTS = 5;

/**
 * Starts the feed of a store to the channel `events`: in stream order, at least once, from the checkpoint on. Errors
 * of store and broker never end it: they are tried again, ever more slowly.
 *
 * Only a record that the broker refuses as `invalid_argument` or `payload_too_large` several times is left out, with an
 * error in the log, as it would stop all others for ever.
 *
 * @throws `invalid_argument` for wrong options
 */
export function createFeed(components: FeedComponents, options: FeedOptions = {}): Feed {
  const { source, broker, publish } = components;
  const complete = resolveFeedOptions(options, source.onCommitted !== undefined);
  const send =
    publish ??
    (broker && ((record, signal) => broker.append('events', record, { signal }) satisfies Promise<unknown>));
  if (send === undefined) throw new TypeError('a feed needs a broker or a publish function');
  const feed = new StoreFeed(components, send, complete);
  feed.start();
  return feed;
}

class StoreFeed implements Feed {
  readonly #source: FeedStore;
  readonly #publish: PublishRecord;
  readonly #options: ResolvedFeedOptions;
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
  #position = 0;
  #trouble: string | undefined;
  /** Called whenever the position has moved. */
  readonly #advanced = new Set<() => void>();

  constructor(components: FeedComponents, publish: PublishRecord, options: ResolvedFeedOptions) {
    const clock = components.clock ?? systemClock;
    this.#clock = clock;
    this.#source = components.source;
    this.#publish = publish;
    this.#options = options;
    this.#logger = components.logger ?? silentLogger;
    this.#random = components.random ?? Math.random;
    const { checkpointEvents: everyEvents, checkpointDelayMs: delayMs } = options;
    this.#checkpoint = new ThrottledCheckpoint(
      components.checkpoint ?? NOWHERE,
      { everyEvents, delayMs },
      clock,
      this.#logger,
    );
    this.#wakeSignal = new WakeSignal(clock, this.#stop.signal);
  }

  get position(): number {
    return this.#position;
  }

  health(): FeedHealth {
    if (this.#trouble === undefined) return { status: 'healthy', position: this.#position };
    return { status: 'degraded', position: this.#position, message: this.#trouble };
  }

  start(): void {
    this.#detach = this.#source.onCommitted?.((position) => {
      if (position > this.#position) this.#wakeSignal.wake();
    });
    this.#running = this.#run();
  }

  async caughtUp(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    const { storeId } = this.#source;
    // A page that begins after the end has no events, and says where the end is.
    const after = Number.MAX_SAFE_INTEGER;
    const { lastPosition } = await this.#source.readAll({ storeId, after, limit: 1 }, options);
    const onAdvance = (listener: () => void): (() => void) => {
      this.#advanced.add(listener);
      return () => void this.#advanced.delete(listener);
    };
    this.#wakeSignal.wake();
    await waitUntil(() => this.#position >= lastPosition, onAdvance, {
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
      this.#advance(await this.#checkpoint.load());
    });
    while (!this.#stop.signal.aborted) {
      const page = await this.#repeat('the store', () => this.#read());
      if (page === undefined) return;
      if (page.events.length > 0) await this.#publishPage(page);
      else this.#advance(page.lastPosition);
      if (page.next === undefined) await this.#wakeSignal.sleep(this.#options.pollMs);
    }
  }

  #read(): Promise<StorePage> {
    this.#wakeSignal.reset();
    const { storeId } = this.#source;
    const params = { storeId, after: this.#position, limit: this.#options.maxInFlight };
    return this.#source.readAll(params, { signal: this.#stop.signal });
  }

  async #publishPage(page: StorePage): Promise<void> {
    const { topic, realm } = this.#options;
    let records: readonly OutgoingRecord[] = page.events.map((event) => feedRecord(event, topic, realm));
    const refusals = new Map<OutgoingRecord, number>();
    const published = await this.#repeat('the broker', async () => {
      const outcome = await publishBatch(records, this.#publish, this.#cut.signal);
      records = outcome.remaining;
      const { error, failed } = outcome;
      if (error === undefined || failed === undefined) return true;
      if (this.#isImpossible(failed, error, refusals))
        records = records.filter((record) => record !== failed);
      // What precedes the first failure is out, and needs not be published again after a restart.
      else this.#advance(Math.max(this.#position, (failed.fed?.position ?? 0) - 1));
      if (records.length === 0) return true;
      throw error;
    });
    if (published === true) this.#advance(page.events.at(-1)?.position ?? this.#position);
  }

  /** Counts a refusal that no repetition can change, and says when it is enough. */
  #isImpossible(record: OutgoingRecord, error: GaterError, refusals: Map<OutgoingRecord, number>): boolean {
    if (error.code !== 'invalid_argument' && error.code !== 'payload_too_large') return false;
    const count = (refusals.get(record) ?? 0) + 1;
    refusals.set(record, count);
    if (count < IMPOSSIBLE_ATTEMPTS) return false;
    const { id, topic, fed } = record;
    this.#logger.error(
      { err: error, id, topic, fed },
      'an event cannot be published and is left out of the feed',
    );
    return true;
  }

  #advance(position: number): void {
    if (position <= this.#position) return;
    this.#position = position;
    this.#checkpoint.reach(position);
    for (const listener of this.#advanced) listener();
  }

  /** Tries until it works; undefined when the feed was closed before. */
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
    // Said once per trouble: an outage of an hour is not a thousand lines.
    if (this.#trouble === undefined) {
      this.#logger.warn({ storeId, err: error, position: this.#position }, `the feed waits for ${what}`);
    }
    this.#trouble = `waiting for ${what}: ${error.message}`;
  }

  #recovered(): void {
    if (this.#trouble !== undefined) {
      const { storeId } = this.#source;
      this.#logger.info({ storeId, position: this.#position }, 'the feed goes on');
    }
    this.#trouble = undefined;
  }
}
