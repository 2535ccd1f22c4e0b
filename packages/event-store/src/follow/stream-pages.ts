import { firstVersionAfter, nextTurn, retryUntilAborted } from '@esdb-gater/primitives';
import {
  type Clock,
  GaterError,
  type Logger,
  type RecordedEvent,
  type StreamPage,
  silentLogger,
  systemClock,
} from '@esdb-gater/types';
import type { FollowStore } from './follow-store.ts';

/** A part of a stream, from a version on. */
export interface StreamPart {
  readonly events: readonly RecordedEvent[];
  /** The version from which the next part begins. */
  readonly nextVersion: number;
  /** True when the stream had no more events as this part was read. */
  readonly atEnd: boolean;
}

export interface StreamPagesComponents {
  readonly store: FollowStore;
  readonly clock?: Clock;
  readonly logger?: Logger;
  readonly random?: () => number;
}

const PAGE_EVENTS = 250;

/** Reads of one store that run at the same time: appends and live events must not wait long for them. */
const MAX_READS = 2;

const BASE_DELAY_MS = 100;
const MAX_DELAY_MS = 5_000;

const EMPTY: StreamPage = Object.freeze({ events: Object.freeze([]), version: -1 });

/**
 * Reads parts of streams for those that follow them. Followers of one stream share a read that is under way, and failures
 * of the store are retried, ever more slowly.
 */
export class StreamPages {
  readonly #store: FollowStore;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #random: () => number;
  readonly #reading = new Map<string, Promise<StreamPage>>();
  readonly #waiting: (() => void)[] = [];
  #reads = 0;

  constructor({ store, clock, logger, random }: StreamPagesComponents) {
    this.#store = store;
    this.#clock = clock ?? systemClock;
    this.#logger = logger ?? silentLogger;
    this.#random = random ?? Math.random;
  }

  /**
   * Returns the version of the first event of a stream after a position; of one that does not exist, 0. Costs a read of one
   * event for each halving of the stream. Resolves to undefined once the signal has aborted.
   */
  async firstVersionAfter(
    streamId: string,
    position: number,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    return firstVersionAfter<undefined>(position, (version) => this.#read(streamId, version, 1, signal));
  }

  /** Reads the part of a stream from `version` on. Resolves to undefined once the signal has aborted. */
  async read(streamId: string, version: number, signal: AbortSignal): Promise<StreamPart | undefined> {
    const page = await this.#read(streamId, version, PAGE_EVENTS, signal);
    if (page === undefined) return undefined;
    const last = page.events.at(-1);
    return {
      events: page.events,
      nextVersion: last === undefined ? version : last.version + 1,
      atEnd: page.next === undefined,
    };
  }

  async #read(
    streamId: string,
    startVersion: number,
    count: number,
    signal: AbortSignal,
  ): Promise<StreamPage | undefined> {
    let isTold = false;
    return retryUntilAborted(() => this.#shared(streamId, startVersion, count), {
      clock: this.#clock,
      signal,
      backoff: (failures) =>
        Math.min(BASE_DELAY_MS * 2 ** failures, MAX_DELAY_MS) * (0.75 + 0.25 * this.#random()),
      onFailure: (error) => {
        if (isTold) return;
        isTold = true;
        const { storeId } = this.#store;
        this.#logger.info({ storeId, err: error }, 'a follower waits for the store');
      },
    });
  }

  #shared(streamId: string, startVersion: number, count: number): Promise<StreamPage> {
    const key = `${startVersion} ${count} ${streamId}`;
    let reading = this.#reading.get(key);
    if (reading === undefined) {
      reading = this.#inTurn({ streamId, startVersion, count }).finally(() => this.#reading.delete(key));
      this.#reading.set(key, reading);
    }
    return reading;
  }

  async #inTurn(part: {
    readonly streamId: string;
    readonly startVersion: number;
    readonly count: number;
  }): Promise<StreamPage> {
    if (this.#reads < MAX_READS) this.#reads += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      // Without the signal of one follower, as others may wait for the same page.
      return await this.#store.getEvents({ storeId: this.#store.storeId, ...part, direction: 'forward' });
    } catch (error) {
      // It may come into being, or begin again.
      if (isMissing(error)) return EMPTY;
      throw error;
    } finally {
      void this.#passOn();
    }
  }

  /** Gives the turn to the read that waits longest, once the event loop has done other work. */
  async #passOn(): Promise<void> {
    await nextTurn();
    const next = this.#waiting.shift();
    if (next === undefined) this.#reads -= 1;
    else next();
  }
}

function isMissing(error: unknown): boolean {
  return GaterError.is(error) && (error.code === 'stream_not_found' || error.code === 'stream_deleted');
}
