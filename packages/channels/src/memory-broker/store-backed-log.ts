import { finishesWithin } from '@esdb-gater/primitives';
import type {
  BrokerRecord,
  Clock,
  FeedReplaySource,
  Logger,
  OutgoingRecord,
  ReplayFrom,
  ReplayOptions,
  StorePoint,
} from '@esdb-gater/types';
import type { ChannelLog, ResolvedFrom } from './channel-log.ts';
import { type BrokerEpoch, isLostSince, isLostSinceTime } from './epoch-log.ts';
import { createFeedStarts, type FeedStarts } from './feed-starts.ts';
import { createHistoryRing, keep, type LogOptions, sequenceAtTime } from './history-log.ts';
import { MemoryRecord } from './memory-record.ts';
import {
  isMarkAt,
  malformed,
  type Point,
  parsePosition,
  positionHead,
  reachesPosition,
  type StoreMark,
} from './positions.ts';
import type { RecordRing } from './record-ring.ts';
import { StoreOutages } from './store-outages.ts';
import { NO_STORES, type StorePositions, storePositions } from './store-positions.ts';
import { StoreReader } from './store-reader.ts';

export interface StoreBackedLogComponents {
  readonly source: FeedReplaySource;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The earlier runs of the broker, oldest first. */
  readonly earlier: readonly BrokerEpoch[];
}

/** How long `subscribe` waits for a store; one that is slower is asked when it is read. */
const PATIENCE_MS = 1_000;

/**
 * Creates the log of the channel `events`. Events of stores are read again from the stores, so the history keeps only
 * the messages of clients. A position names both, and the part of a store in it outlives the process.
 *
 * Stores are independent: one that cannot be read is left out until it is back, and a reader's position stays where it
 * was in that store.
 */
export function createStoreBackedLog(components: StoreBackedLogComponents, options: LogOptions): ChannelLog {
  return new StoreBackedLog(components, options);
}

class StoreBackedLog implements ChannelLog {
  readonly #source: FeedReplaySource;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #earlier: readonly BrokerEpoch[];
  readonly #options: LogOptions;
  readonly #head: string;
  /** The messages that clients published. */
  readonly #ring: RecordRing;
  readonly #starts: FeedStarts;
  readonly #outages: StoreOutages;
  /** How far each store has been fed. */
  #fed: StorePositions = NO_STORES;

  constructor({ source, clock, logger, earlier }: StoreBackedLogComponents, options: LogOptions) {
    this.#source = source;
    this.#clock = clock;
    this.#logger = logger;
    this.#earlier = earlier;
    this.#options = options;
    this.#head = positionHead(options.channel, options.epoch);
    this.#ring = createHistoryRing(options);
    this.#outages = new StoreOutages(clock, logger);
    this.#starts = createFeedStarts(source, clock, logger, (storeId, point) => {
      if ((this.#fed.get(storeId)?.position ?? -1) < point.position) {
        this.#fed = this.#fed.with(storeId, point);
      }
    });
  }

  get published(): number {
    return this.#ring.newest;
  }

  append(record: OutgoingRecord): BrokerRecord {
    const { fed } = record;
    if (fed === undefined) {
      const place = { head: this.#head, sequence: this.#ring.newest + 1, stores: this.#fed };
      return new MemoryRecord(record, place, keep(this.#ring, record, place, this.#options.history));
    }
    const stores = this.#fed.with(fed.storeId, fed);
    // A repeated event (the feed delivers at least once) has its original position, and does not move the newest
    // position back.
    const isNewest = fed.position > (this.#fed.get(fed.storeId)?.position ?? 0);
    if (isNewest || fed.wentBack === true) this.#fed = stores;
    return new MemoryRecord(record, { head: this.#head, sequence: this.#ring.newest, stores });
  }

  tailPosition(): string | undefined {
    return this.#starts.asked() ? this.#tail() : undefined;
  }

  async position(): Promise<string> {
    await this.#starts.known();
    return this.#tail();
  }

  async resolve(from: ReplayFrom): Promise<ResolvedFrom> {
    if (from === 'earliest') return { position: this.#at(this.#ring.oldest - 1, NO_STORES) };
    await this.#starts.known();
    return 'position' in from ? this.#resolvePosition(from.position) : this.#resolveTime(from.time);
  }

  async *read(after: string, until: string, options: ReplayOptions): AsyncGenerator<readonly BrokerRecord[]> {
    const start = this.#parse(after);
    const end = this.#parse(until);
    // Collected at once, so that records that leave the history meanwhile are still read.
    const published = this.#ring.slice(start.sequence, end.sequence);
    const reader = new StoreReader(
      { source: this.#source, outages: this.#outages, logger: this.#logger, head: this.#head },
      { sequence: start.sequence, stores: storePositions(start.stores), ...options },
    );
    for (const record of published) {
      // A message was published when the stores had been fed up to its positions: events up to there go first.
      yield* reader.read(record.stores);
      const placed = reader.place(record);
      if (placed !== undefined) yield [placed];
    }
    yield* reader.read(storePositions(end.stores));
    reader.finish(end.sequence);
  }

  caughtUp(after: string, until: string, topic?: string): boolean {
    return reachesPosition(this.#options.channel, after, until, (storeId) => this.#isWanted(storeId, topic));
  }

  trouble(): string | undefined {
    return this.#outages.message();
  }

  async #resolvePosition(text: string): Promise<ResolvedFrom> {
    const point = this.#parse(text);
    const { oldest, newest } = this.#ring;
    const isThisLife = point.epoch === this.#options.epoch;
    if (isThisLife && point.sequence > newest) {
      throw malformed(this.#options.channel, 'it is ahead of the newest');
    }
    const isHeld = isThisLife && point.sequence >= oldest - 1;
    let lost = !isHeld && (isThisLife || oldest > 1 || isLostSince(this.#earlier, point));
    const stores: [string, StoreMark][] = [];
    const known = new Set([...this.#source.stores(), ...this.#fed.storeIds]);
    const resolved = await Promise.all(
      [...known].map(async (storeId) => {
        const mark = point.stores.get(storeId);
        return [storeId, mark && (await this.#proveMark(storeId, mark, isThisLife))] as const;
      }),
    );
    for (const [storeId, mark] of resolved) {
      if (mark === 'void') lost = true;
      else if (mark !== undefined) stores.push([storeId, mark]);
    }
    const position = this.#at(isHeld ? point.sequence : oldest - 1, storePositions(stores));
    return lost ? { position, lost } : { position };
  }

  /** Returns the mark, or `void` when the store does not have the event that the mark is proved by. */
  async #proveMark(storeId: string, mark: StoreMark, isThisLife: boolean): Promise<StoreMark | 'void'> {
    const { position, proof, sinceMs } = mark;
    if (sinceMs !== undefined || position === 0) return mark;
    if (proof === undefined && !isThisLife && this.#source.ephemeral?.(storeId) === true) return 'void';
    const proves = await this.#ask(storeId, () => this.#source.proves(storeId, mark));
    if (proves === false) return 'void';
    const point = proof === undefined ? { position } : { position, proof };
    return proves === undefined ? { ...point, unproven: true } : point;
  }

  async #resolveTime(time: string): Promise<ResolvedFrom> {
    const sinceMs = Date.parse(time);
    const marks = await Promise.all(
      this.#source.stores().map(async (storeId): Promise<readonly [string, StoreMark]> => {
        const point = await this.#ask(storeId, () => this.#source.pointAtTime(storeId, time));
        return [storeId, point ?? { position: 0, sinceMs }];
      }),
    );
    const stores = storePositions(
      marks.filter(([, mark]) => isMarkAt(mark, 1) || mark.sinceMs !== undefined),
    );
    const { sequence, lost } = sequenceAtTime(this.#ring, time);
    const position = this.#at(sequence, stores);
    const { startedMs } = this.#options;
    return lost || isLostSinceTime(this.#earlier, sinceMs, startedMs)
      ? { position, lost: true }
      : { position };
  }

  /** Returns undefined when the store cannot answer, or not in time. */
  async #ask<Answer>(storeId: string, question: () => Promise<Answer>): Promise<Answer | undefined> {
    if (this.#outages.isOut(storeId)) return undefined;
    let answer: Answer | undefined;
    const asking = question().then(
      (given) => {
        answer = given;
        this.#outages.succeeded(storeId);
      },
      (error: unknown) => this.#outages.failed(storeId, error),
    );
    await finishesWithin(asking, PATIENCE_MS, this.#clock, { unref: true });
    return answer;
  }

  #isWanted(storeId: string, topic: string | undefined): boolean {
    return topic === undefined || this.#source.canMatch?.(storeId, topic) !== false;
  }

  #tail(): string {
    // Stores that were forgotten would otherwise stay in every position.
    const fed = new Set(this.#source.stores());
    if (this.#fed.storeIds.length > fed.size) {
      const { storeIds } = this.#fed;
      this.#fed = storePositions(
        storeIds
          .filter((storeId) => fed.has(storeId))
          .map((storeId) => [storeId, this.#fed.get(storeId) as StorePoint] as const),
      );
    }
    return this.#at(this.#ring.newest, this.#fed);
  }

  #at(sequence: number, stores: StorePositions): string {
    return this.#head + sequence + stores.text();
  }

  #parse(position: string): Point {
    return parsePosition(this.#options.channel, position);
  }
}
