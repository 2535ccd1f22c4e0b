import type { BrokerRecord, OutgoingRecord, ReplayFrom } from '@esdb-gater/types';

/** The part of the in-process broker that belongs to one channel. */
export interface ChannelLog {
  /** Keeps the record; the caller hands it over. */
  append(record: OutgoingRecord): BrokerRecord;
  /** Undefined while a store has not yet said how far it is. */
  tailPosition(): string | undefined;
  position(): Promise<string>;
  resolve(from: ReplayFrom): Promise<{ readonly position: string; readonly lost?: boolean }>;
  read(after: string, until: string, signal: AbortSignal | undefined): AsyncIterable<readonly BrokerRecord[]>;
  caughtUp(after: string, until: string): boolean;
}

/** Records that are handed to a reader together. */
const READ_BATCH = 256;

/** The list in pieces of at most {@link READ_BATCH}. */
export function* inBatches<Value>(list: readonly Value[]): Generator<readonly Value[]> {
  for (let at = 0; at < list.length; at += READ_BATCH) yield list.slice(at, at + READ_BATCH);
}
