import type { BrokerRecord, OutgoingRecord, ReplayFrom, ReplayOptions } from '@esdb-gater/types';

/** The position of `from`. */
export interface ResolvedFrom {
  readonly position: string;
  /** True when some of the messages that should follow have expired. */
  readonly lost?: boolean;
}

/** The part of the in-process broker that belongs to one channel. */
export interface ChannelLog {
  /** How many messages clients have published. */
  readonly published: number;
  /** Stores a record, and returns it for the tail. */
  append(record: OutgoingRecord): BrokerRecord;
  /** Undefined while it is not known where the feeds go on. */
  tailPosition(): string | undefined;
  position(): Promise<string>;
  resolve(from: ReplayFrom): Promise<ResolvedFrom>;
  read(after: string, until: string, options: ReplayOptions): AsyncIterable<readonly BrokerRecord[]>;
  caughtUp(after: string, until: string, topic?: string): boolean;
  /** Describes what replays wait for, if they do. */
  trouble?(): string | undefined;
}

/** Number of records that are passed to a reader together. */
const READ_BATCH = 256;

/** Splits a list into pieces of at most {@link READ_BATCH}. */
export function* inBatches<Value>(list: readonly Value[]): Generator<readonly Value[]> {
  for (let at = 0; at < list.length; at += READ_BATCH) yield list.slice(at, at + READ_BATCH);
}
