import { createTopicMatcher, type TopicMatcher } from '@esdb-gater/primitives';
import type { BrokerRecord, FeedReplaySource, Logger, ReplayOptions, StorePoint } from '@esdb-gater/types';
import { inBatches } from './channel-log.ts';
import { KeptRecord, MemoryRecord } from './memory-record.ts';
import type { StoreMark } from './positions.ts';
import type { StoreOutages } from './store-outages.ts';
import type { StorePositions } from './store-positions.ts';

export interface StoreReaderComponents {
  readonly source: FeedReplaySource;
  readonly outages: StoreOutages;
  readonly logger: Logger;
  /** The common prefix of the channel's positions. */
  readonly head: string;
}

export interface StoreReaderOptions extends ReplayOptions {
  /** Where the reader is. */
  readonly sequence: number;
  readonly stores: StorePositions;
}

const BEGINNING: StorePoint = Object.freeze({ position: 0 });

/** Reads the stores for one replay, and tracks its position: in each store, and among the messages of clients. */
export class StoreReader {
  readonly #components: StoreReaderComponents;
  readonly #options: StoreReaderOptions;
  readonly #matches: TopicMatcher | undefined;
  /** Stores that could not be read: the reader keeps its position in them. */
  readonly #missing = new Set<string>();
  #sequence: number;
  #stores: StorePositions;

  constructor(components: StoreReaderComponents, options: StoreReaderOptions) {
    this.#components = components;
    this.#options = options;
    this.#matches = options.topic === undefined ? undefined : createTopicMatcher(options.topic);
    this.#sequence = options.sequence;
    this.#stores = options.stores;
  }

  /** Reads the stores up to the given positions, one after the other. */
  async *read(until: StorePositions): AsyncGenerator<readonly BrokerRecord[]> {
    for (const storeId of until.storeIds) yield* this.#readStore(storeId, until.get(storeId) ?? BEGINNING);
  }

  /** Moves to a message that a client published. Returns it at the reader's position if its topic is wanted. */
  place(record: KeptRecord): BrokerRecord | undefined {
    this.#sequence = record.sequence;
    if (this.#matches?.(record.topic) === false) return undefined;
    return new KeptRecord(record, record.text, this.#place());
  }

  /** Moves to the end, and reports the position. */
  finish(sequence: number): void {
    this.#sequence = Math.max(this.#sequence, sequence);
    this.#tellReached();
  }

  async *#readStore(storeId: string, until: StoreMark): AsyncGenerator<readonly BrokerRecord[]> {
    const { source, outages } = this.#components;
    const { signal, topic } = this.#options;
    const matches = this.#matches;
    if (topic !== undefined && source.canMatch?.(storeId, topic) === false) return;
    const mark: StoreMark = this.#stores.get(storeId) ?? BEGINNING;
    const isPlain = mark.unproven !== true && mark.sinceMs === undefined;
    if ((isPlain && mark.position >= until.position) || this.#missing.has(storeId)) return;
    if (outages.isOut(storeId)) {
      this.#missing.add(storeId);
      return;
    }
    try {
      const after = await this.#startIn(storeId, mark);
      this.#stores = this.#stores.with(storeId, after);
      const options = {
        ...(signal === undefined ? {} : { signal }),
        ...(matches === undefined ? {} : { matches }),
        onReached: (point: StorePoint) => {
          this.#stores = this.#stores.with(storeId, point);
          this.#tellReached();
        },
      };
      for await (const events of source.read(storeId, after.position, until.position, options)) {
        if (signal?.aborted === true) return;
        for (const batch of inBatches(events)) {
          yield batch.map((event) => {
            this.#stores = this.#stores.with(storeId, event);
            return new MemoryRecord(event, this.#place());
          });
        }
      }
      if (signal?.aborted === true) return;
      if (after.position < until.position) this.#stores = this.#stores.with(storeId, until);
      outages.succeeded(storeId);
    } catch (error) {
      if (signal?.aborted === true) return;
      this.#missing.add(storeId);
      outages.failed(storeId, error);
    }
  }

  /** Returns where to begin in a store, now that it can be asked. */
  async #startIn(storeId: string, mark: StoreMark): Promise<StorePoint> {
    const { source, logger } = this.#components;
    const { position, proof, unproven, sinceMs } = mark;
    if (sinceMs !== undefined) return source.pointAtTime(storeId, new Date(sinceMs).toISOString());
    const point = proof === undefined ? { position } : { position, proof };
    if (unproven !== true || (await source.proves(storeId, point))) return point;
    logger.warn(
      { storeId, position },
      'the store no longer has the event of a position (restored, or begun anew): replays it from its beginning',
    );
    return BEGINNING;
  }

  #place(): { readonly head: string; readonly sequence: number; readonly stores: StorePositions } {
    return { head: this.#components.head, sequence: this.#sequence, stores: this.#stores };
  }

  #tellReached(): void {
    this.#options.onReached?.(this.#components.head + this.#sequence + this.#stores.text());
  }
}
