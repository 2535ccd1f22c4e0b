import { GenerationSet } from '@esdb-gater/primitives';
import type { ChannelName, Clock, Logger } from '@esdb-gater/types';
import type { DriverRecord } from '../client/driver.ts';
import type { DamagedBatch, KafkaRecord } from './record-set.ts';

export interface DeadLettersComponents {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Writes a record to the channel's dead-letter topic. */
  readonly send: (channel: ChannelName, record: DriverRecord) => Promise<unknown>;
  readonly onDeadLetter: ((channel: ChannelName, reason: string) => void) | undefined;
}

/** The source partition of the records. */
export interface RecordSource {
  readonly channel: ChannelName;
  readonly kafkaTopic: string;
  readonly partition: number;
}

/** Limits a reason, which the `accept` of the caller may give. */
const MAX_REASON_UNITS = 200;
/** Places that are remembered, so that a record which a replay reads again is written and counted once. */
const MAX_KNOWN_PLACES = 10_000;

/** Writes the records that cannot be delivered to the dead-letter topic of their channel, and counts them. */
export class DeadLetters {
  readonly #components: DeadLettersComponents;
  readonly #counts = new Map<ChannelName, number>();
  readonly #known = new GenerationSet<string>(MAX_KNOWN_PLACES);

  constructor(components: DeadLettersComponents) {
    this.#components = components;
  }

  /** Returns how many this node has met on each channel. */
  counts(): ReadonlyMap<ChannelName, number> {
    return this.#counts;
  }

  add(source: RecordSource, record: KafkaRecord, reason: string): void {
    const place = placeOf(source, record.offset);
    if (!this.#count(source.channel, place, reason)) return;
    const { clock, logger, send } = this.#components;
    const letter: DriverRecord = {
      // Copied, since the buffers reference the memory of the whole response and this record may wait.
      key: record.key === null ? null : Buffer.from(record.key),
      value: record.value === null ? null : Buffer.from(record.value),
      headers: [
        ['esdb_error', Buffer.from(reason.slice(0, MAX_REASON_UNITS))],
        ['esdb_origin', Buffer.from(place)],
      ],
      timestampMs: Math.floor(clock.now()),
    };
    send(source.channel, letter).catch((error: unknown) => {
      logger.warn({ place, reason, cause: error }, 'cannot write a dead letter');
    });
  }

  /** Counts and logs a batch that cannot be read; its records cannot be written anywhere. */
  addDamaged(source: RecordSource, batch: DamagedBatch): void {
    const place = placeOf(source, batch.firstOffset);
    if (!this.#count(source.channel, place, `damaged batch: ${batch.error}`)) return;
    this.#components.logger.warn({ place, ...batch }, 'skipped a damaged batch of Kafka records');
  }

  /** Returns false when the place was counted before. */
  #count(channel: ChannelName, place: string, reason: string): boolean {
    if (!this.#known.add(place)) return false;
    this.#counts.set(channel, (this.#counts.get(channel) ?? 0) + 1);
    this.#components.logger.debug({ channel, place, reason }, 'cannot deliver a Kafka record');
    this.#components.onDeadLetter?.(channel, reason);
    return true;
  }
}

function placeOf({ kafkaTopic, partition }: RecordSource, offset: number): string {
  return `${kafkaTopic}/${partition}/${offset}`;
}
