import { createTopicMatcher } from '@esdb-gater/primitives';
import {
  type BrokerRecord,
  type ChannelName,
  type GaterError,
  invalidArgument,
  type OutgoingRecord,
  type ReplayFrom,
  type ReplayOptions,
} from '@esdb-gater/types';
import { type ChannelLog, inBatches, type ResolvedFrom } from './channel-log.ts';
import { KeptRecord, MemoryRecord, type RecordPlace } from './memory-record.ts';
import { malformed, type Point, parsePosition, positionHead, reachesPosition } from './positions.ts';
import { createRecordRing, type RecordRing } from './record-ring.ts';
import { NO_STORES } from './store-positions.ts';

export interface LogOptions {
  readonly channel: ChannelName;
  readonly epoch: string;
  /** Maximum number of messages in the history. */
  readonly history: number;
  /** Maximum bytes of the history, as JSON text. */
  readonly historyBytes: number;
  /** The start of this run of the broker, in Unix milliseconds. */
  readonly startedMs: number;
}

/** Creates the log of a channel that exists only in this process: its positions end with the process. */
export function createHistoryLog(options: LogOptions): ChannelLog {
  return new HistoryLog(options);
}

class HistoryLog implements ChannelLog {
  readonly #options: LogOptions;
  readonly #head: string;
  readonly #ring: RecordRing;

  constructor(options: LogOptions) {
    this.#options = options;
    this.#head = positionHead(options.channel, options.epoch);
    this.#ring = createHistoryRing(options);
  }

  get published(): number {
    return this.#ring.newest;
  }

  append(record: OutgoingRecord): BrokerRecord {
    const place = { head: this.#head, sequence: this.#ring.newest + 1, stores: NO_STORES };
    return new MemoryRecord(record, place, keep(this.#ring, record, place, this.#options.history));
  }

  tailPosition(): string {
    return this.#at(this.#ring.newest);
  }

  async position(): Promise<string> {
    return this.tailPosition();
  }

  async resolve(from: ReplayFrom): Promise<ResolvedFrom> {
    if (from === 'earliest') return { position: this.#at(this.#ring.oldest - 1) };
    if ('position' in from) {
      const { sequence } = this.#held(from.position);
      if (sequence > this.#ring.newest) throw malformed(this.#options.channel, 'it is ahead of the newest');
      return { position: this.#at(sequence) };
    }
    const { sequence, lost } = sequenceAtTime(this.#ring, from.time);
    // All messages before this run of the broker are lost.
    const isLost = lost || Date.parse(from.time) < this.#options.startedMs;
    return isLost ? { position: this.#at(sequence), lost: true } : { position: this.#at(sequence) };
  }

  async *read(
    after: string,
    until: string,
    { signal, topic }: ReplayOptions,
  ): AsyncGenerator<readonly KeptRecord[]> {
    // Collected at once, so that records that leave the history meanwhile are still read.
    const records = this.#ring.slice(this.#held(after).sequence, this.#parse(until).sequence);
    const matches = topic === undefined ? () => true : createTopicMatcher(topic);
    for (const batch of inBatches(records.filter((record) => matches(record.topic)))) {
      if (signal?.aborted === true) return;
      yield batch;
    }
  }

  caughtUp(after: string, until: string): boolean {
    return reachesPosition(this.#options.channel, after, until);
  }

  #at(sequence: number): string {
    return this.#head + sequence;
  }

  #parse(position: string): Point {
    return parsePosition(this.#options.channel, position);
  }

  /** @throws `position_lost` with `oldest` */
  #held(position: string): Point {
    const point = this.#parse(position);
    const { oldest } = this.#ring;
    if (point.epoch === this.#options.epoch && point.sequence >= oldest - 1) return point;
    throw lost(this.#options.channel, this.#at(oldest - 1));
  }
}

/** Creates the ring of a channel's history. */
export function createHistoryRing({ history, historyBytes }: LogOptions): RecordRing {
  return createRecordRing({ capacity: history, maxBytes: historyBytes });
}

/**
 * Adds a record to the history, and returns its message as JSON. A record that would not be kept is not encoded: then it
 * returns undefined.
 */
export function keep(
  ring: RecordRing,
  record: OutgoingRecord,
  place: RecordPlace,
  history: number,
): string | undefined {
  const text = history === 0 ? undefined : JSON.stringify(record.message);
  ring.push(new KeptRecord(record, text ?? '', place));
  return text;
}

/**
 * Returns the sequence before the first record at or after a time, and whether other records of that time have expired.
 */
export function sequenceAtTime(
  ring: RecordRing,
  time: string,
): { readonly sequence: number; readonly lost: boolean } {
  const timeMs = Date.parse(time);
  const first = ring.slice(0, ring.newest).find((record) => Date.parse(record.time) >= timeMs);
  const lost = ring.lostTime !== undefined && Date.parse(ring.lostTime) >= timeMs;
  return { sequence: (first?.sequence ?? ring.newest + 1) - 1, lost };
}

function lost(channel: ChannelName, oldest: string): GaterError {
  return invalidArgument(
    'position_lost',
    `messages on ${channel} after this position have expired; see \`oldest\``,
    { channel, oldest },
  );
}
