import {
  type ChannelName,
  type GaterError,
  invalidArgument,
  type OutgoingRecord,
  type ReplayFrom,
} from '@esdb-gater/types';
import { type ChannelLog, inBatches } from './channel-log.ts';
import { MemoryRecord } from './memory-record.ts';
import { malformed, type Point, parsePosition, positionHead } from './positions.ts';
import { createRecordRing, type RecordRing } from './record-ring.ts';
import { NO_STORES } from './store-positions.ts';

export interface LogOptions {
  readonly channel: ChannelName;
  readonly epoch: string;
  /** Messages that are kept. */
  readonly history: number;
  /** When this life of the broker began, Unix milliseconds. */
  readonly startedMs: number;
}

/** A channel that lives in this process alone: its last messages, and positions that end with the process. */
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
    this.#ring = createRecordRing(options.history);
  }

  append(record: OutgoingRecord): MemoryRecord {
    const kept = new MemoryRecord(record, this.#head, this.#ring.newest + 1, NO_STORES);
    this.#ring.push(kept);
    return kept;
  }

  tailPosition(): string {
    return this.#at(this.#ring.newest);
  }

  async position(): Promise<string> {
    return this.tailPosition();
  }

  async resolve(from: ReplayFrom): Promise<{ readonly position: string; readonly lost?: boolean }> {
    if (from === 'earliest') return { position: this.#at(this.#ring.oldest - 1) };
    if ('position' in from) {
      const { sequence } = this.#held(from.position);
      if (sequence > this.#ring.newest) throw malformed(this.#options.channel, 'it lies ahead of the newest');
      return { position: this.#at(sequence) };
    }
    const { sequence, lost } = sequenceAtTime(this.#ring, from.time, this.#options.startedMs);
    return lost ? { position: this.#at(sequence), lost } : { position: this.#at(sequence) };
  }

  async *read(after: string, until: string, signal: AbortSignal | undefined): AsyncGenerator<MemoryRecord[]> {
    // Taken at once: what falls off the history meanwhile is still read.
    const records = this.#ring.slice(this.#held(after).sequence, this.#parse(until).sequence);
    for (const batch of inBatches(records)) {
      if (signal?.aborted === true) return;
      yield [...batch];
    }
  }

  caughtUp(after: string, until: string): boolean {
    return after === until || this.#parse(after).sequence >= this.#parse(until).sequence;
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

/** The sequence before the first record at or after a time, and whether others of that time are gone. */
export function sequenceAtTime(
  ring: RecordRing,
  time: string,
  startedMs: number,
): { readonly sequence: number; readonly lost: boolean } {
  const timeMs = Date.parse(time);
  const first = ring.slice(0, ring.newest).find((record) => Date.parse(record.time) >= timeMs);
  const fallen = ring.lostTime !== undefined && Date.parse(ring.lostTime) >= timeMs;
  // What came before this life of the broker is gone, whatever it was.
  return { sequence: (first?.sequence ?? ring.newest + 1) - 1, lost: fallen || timeMs < startedMs };
}

function lost(channel: ChannelName, oldest: string): GaterError {
  return invalidArgument(
    'position_lost',
    `what follows the position on the channel ${channel} is no longer held; \`oldest\` is where it goes on`,
    { channel, oldest },
  );
}
