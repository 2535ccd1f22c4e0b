import type { ChannelName, Clock, Logger } from '@esdb-gater/types';
import type { DriverRecord } from '../client/driver.ts';
import { RecentSet } from './recent-set.ts';
import type { DamagedBatch, KafkaRecord } from './record-set.ts';

export interface DeadLettersComponents {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Writes it to the channel's dead-letter topic. */
  readonly send: (channel: ChannelName, record: DriverRecord) => Promise<unknown>;
  readonly onDeadLetter: ((channel: ChannelName, reason: string) => void) | undefined;
}

interface Origin {
  readonly channel: ChannelName;
  readonly kafkaTopic: string;
  readonly partition: number;
}

/** A reason may come from outside this package. */
const LONGEST_REASON = 200;
/** So many are remembered, that one which is read again in replays is written and counted once. */
const REMEMBERED = 10_000;

/** What came in and was not understood: written aside with the reason, counted, and out of the way. */
export class DeadLetters {
  readonly #components: DeadLettersComponents;
  readonly #counts = new Map<ChannelName, number>();
  readonly #known = new RecentSet(REMEMBERED);

  constructor(components: DeadLettersComponents) {
    this.#components = components;
  }

  /** How many this node has met on each channel. */
  counts(): ReadonlyMap<ChannelName, number> {
    return this.#counts;
  }

  add(origin: Origin, record: KafkaRecord, reason: string): void {
    const place = `${origin.kafkaTopic}/${origin.partition}/${record.offset}`;
    if (!this.#count(origin.channel, place, reason)) return;
    const { clock, logger, send } = this.#components;
    const letter: DriverRecord = {
      // Copied: the buffers share the memory of a whole answer, and this may wait.
      key: record.key === null ? null : Buffer.from(record.key),
      value: record.value === null ? null : Buffer.from(record.value),
      headers: [
        ['esdb_error', Buffer.from(reason.slice(0, LONGEST_REASON))],
        ['esdb_origin', Buffer.from(place)],
      ],
      timestampMs: Math.floor(clock.now()),
    };
    send(origin.channel, letter).catch((error: unknown) => {
      logger.warn({ place, reason, cause: error }, 'a dead letter could not be written');
    });
  }

  /** A batch that cannot be read has no records to keep, so there is only its place. */
  addDamaged(origin: Origin, batch: DamagedBatch): void {
    const place = `${origin.kafkaTopic}/${origin.partition}/${batch.firstOffset}`;
    if (!this.#count(origin.channel, place, `damaged batch: ${batch.error}`)) return;
    this.#components.logger.warn(
      { place, ...batch },
      'a batch of Kafka records cannot be read and is left out',
    );
  }

  #count(channel: ChannelName, place: string, reason: string): boolean {
    if (!this.#known.add(place)) return false;
    this.#counts.set(channel, (this.#counts.get(channel) ?? 0) + 1);
    this.#components.logger.debug({ channel, place, reason }, 'a Kafka record was not understood');
    this.#components.onDeadLetter?.(channel, reason);
    return true;
  }
}
