import type { BrokerRecord, Clock, Logger, OutgoingRecord, ReplayFrom } from '@esdb-gater/types';
import { type ChannelLog, inBatches } from './channel-log.ts';
import type { FeedReplaySource } from './feed-replay-source.ts';
import { type LogOptions, sequenceAtTime } from './history-log.ts';
import { MemoryRecord } from './memory-record.ts';
import { createNewestPositions, type NewestPositions } from './newest-positions.ts';
import { malformed, type Point, parsePosition, positionHead } from './positions.ts';
import { createRecordRing, type RecordRing } from './record-ring.ts';
import { NO_STORES, type StorePositions, storePositions } from './store-positions.ts';

export interface StoreBackedLogComponents {
  readonly source: FeedReplaySource;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * The channel `events`: what stores feed is read again from the stores, so only what clients published takes
 * part in the history. A position names both, and its stores' part outlives the process.
 */
export function createStoreBackedLog(components: StoreBackedLogComponents, options: LogOptions): ChannelLog {
  return new StoreBackedLog(components, options);
}

class StoreBackedLog implements ChannelLog {
  readonly #source: FeedReplaySource;
  readonly #options: LogOptions;
  readonly #head: string;
  /** What clients published. */
  readonly #ring: RecordRing;
  readonly #heads: NewestPositions;
  #vector: StorePositions = NO_STORES;

  constructor({ source, clock, logger }: StoreBackedLogComponents, options: LogOptions) {
    this.#source = source;
    this.#options = options;
    this.#head = positionHead(options.channel, options.epoch);
    this.#ring = createRecordRing(options.history);
    this.#heads = createNewestPositions(source, clock, logger, (storeId, newest) => {
      if ((this.#vector.get(storeId) ?? -1) < newest) this.#vector = this.#vector.with(storeId, newest);
    });
  }

  append(record: OutgoingRecord): MemoryRecord {
    const { fed } = record;
    if (fed === undefined) {
      const kept = new MemoryRecord(record, this.#head, this.#ring.newest + 1, this.#vector);
      this.#ring.push(kept);
      return kept;
    }
    const vector = this.#vector.with(fed.storeId, fed.position);
    // An event that comes again (the feed is at least once) carries its own position, and moves nothing back. But
    // for the first of all: then the store was begun anew.
    if (fed.position > (this.#vector.get(fed.storeId) ?? 0) || fed.position === 1) this.#vector = vector;
    return new MemoryRecord(record, this.#head, this.#ring.newest, vector);
  }

  tailPosition(): string | undefined {
    return this.#heads.asked() ? this.#at(this.#ring.newest, this.#vector) : undefined;
  }

  async position(): Promise<string> {
    await this.#heads.known();
    return this.#at(this.#ring.newest, this.#vector);
  }

  async resolve(from: ReplayFrom): Promise<{ readonly position: string; readonly lost?: boolean }> {
    if (from === 'earliest') return { position: this.#at(this.#ring.oldest - 1, NO_STORES) };
    const { sequence, vector, lost } =
      'position' in from ? await this.#resolvePosition(from.position) : await this.#resolveTime(from.time);
    const position = this.#at(sequence, vector);
    return lost ? { position, lost } : { position };
  }

  async *read(
    after: string,
    until: string,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<readonly BrokerRecord[]> {
    const start = this.#parse(after);
    const end = this.#parse(until);
    // Taken at once: what falls off the history meanwhile is still read.
    const published = this.#ring.slice(start.sequence, end.sequence);
    let sequence = start.sequence;
    let vector = storePositions(start.stores);
    for (const record of published) {
      // Each was published when the stores had been fed up to its vector: events go first up to there.
      for await (const batch of this.#readStores(sequence, vector, record.vector, signal)) yield batch;
      vector = ahead(vector, record.vector);
      sequence = record.sequence;
      yield [new MemoryRecord(record, this.#head, sequence, vector)];
    }
    yield* this.#readStores(sequence, vector, storePositions(end.stores), signal);
  }

  caughtUp(after: string, until: string): boolean {
    if (after === until) return true;
    const reader = this.#parse(after);
    const end = this.#parse(until);
    if (reader.sequence < end.sequence) return false;
    return [...end.stores].every(([storeId, position]) => (reader.stores.get(storeId) ?? 0) >= position);
  }

  async *#readStores(
    sequence: number,
    from: StorePositions,
    to: StorePositions,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<readonly BrokerRecord[]> {
    let vector = from;
    for (const [index, storeId] of to.storeIds.entries()) {
      const after = vector.get(storeId) ?? 0;
      const until = to.positions[index] ?? 0;
      if (after >= until) continue;
      for await (const events of this.#source.read(
        storeId,
        after,
        until,
        signal === undefined ? {} : { signal },
      )) {
        if (signal?.aborted === true) return;
        const records = events.map((event) => {
          vector = vector.with(storeId, event.position);
          return new MemoryRecord(event, this.#head, sequence, vector);
        });
        yield* inBatches(records);
      }
      vector = vector.with(storeId, until);
    }
  }

  async #resolvePosition(
    text: string,
  ): Promise<{ readonly sequence: number; readonly vector: StorePositions; readonly lost: boolean }> {
    const point = this.#parse(text);
    await this.#heads.known();
    const { oldest, newest } = this.#ring;
    const thisLife = point.epoch === this.#options.epoch;
    if (thisLife && point.sequence > newest)
      throw malformed(this.#options.channel, 'it lies ahead of the newest');
    const published = thisLife && point.sequence >= oldest - 1;
    let lost = !published;
    const stores: [string, number][] = [];
    for (const storeId of new Set([...this.#source.stores(), ...this.#vector.storeIds])) {
      const position = point.stores.get(storeId) ?? 0;
      const ended = !thisLife && this.#source.ephemeral?.(storeId) === true;
      const ahead = position > (this.#vector.get(storeId) ?? position);
      if (ended || ahead) lost = true;
      else if (position > 0) stores.push([storeId, position]);
    }
    return { sequence: published ? point.sequence : oldest - 1, vector: storePositions(stores), lost };
  }

  async #resolveTime(
    time: string,
  ): Promise<{ readonly sequence: number; readonly vector: StorePositions; readonly lost: boolean }> {
    const stores = await Promise.all(
      this.#source
        .stores()
        .map(async (storeId) => [storeId, await this.#source.positionAtTime(storeId, time)] as const),
    );
    const { sequence, lost } = sequenceAtTime(this.#ring, time, this.#options.startedMs);
    return { sequence, vector: storePositions(stores.filter(([, position]) => position > 0)), lost };
  }

  #at(sequence: number, vector: StorePositions): string {
    return this.#head + sequence + vector.text();
  }

  #parse(position: string): Point {
    return parsePosition(this.#options.channel, position);
  }
}

/** The vector with every store at least as far as in `other`. */
function ahead(vector: StorePositions, other: StorePositions): StorePositions {
  let result = vector;
  for (const [index, storeId] of other.storeIds.entries()) {
    const position = other.positions[index] ?? 0;
    if ((result.get(storeId) ?? 0) < position) result = result.with(storeId, position);
  }
  return result;
}
