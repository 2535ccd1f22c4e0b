import { onAbort } from '@esdb-gater/primitives';
import { type Clock, GaterError, type JsonValue, type Logger } from '@esdb-gater/types';
import type { Cluster } from '../client/cluster.ts';
import type { Connections } from '../client/connections.ts';
import { logPlan } from '../client/options.ts';
import type { Offsets } from '../consumer/offsets.ts';
import type { KafkaRecord } from '../consumer/record-set.ts';
import { TopicTail } from '../consumer/topic-tail.ts';
import type { Sender } from '../producer/sender.ts';

export interface KafkaLogComponents {
  readonly connections: Connections;
  readonly cluster: Cluster;
  readonly offsets: Offsets;
  readonly sender: Sender;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface KafkaLogRecord {
  readonly key: string;
  /** Absent when the key was deleted. */
  readonly value?: JsonValue;
  readonly offset: number;
  /** When the broker wrote it: Unix milliseconds, by the broker's clock. */
  readonly timeMs: number;
}

export interface KafkaLogOptions {
  /** The Kafka topic, created when it does not exist. */
  readonly topic: string;
  /** Called for every record in order, starting with the oldest. */
  readonly onRecord: (record: KafkaLogRecord) => void;
  /** Keeps all records for this time, instead of the last record of each key without limit. */
  readonly retentionMs?: number;
}

/** A small topic of one partition that every node reads from its beginning. */
export interface KafkaLog {
  /** True when no record was removed from the beginning, so that all records ever written are read. Known once ready. */
  readonly complete: boolean;
  /**
   * Resolves when every record was read that existed when this was called.
   *
   * @throws the reason of `signal`, `unavailable` once closed; without a signal it waits for as long as Kafka is away
   */
  ready(options?: { readonly signal?: AbortSignal }): Promise<void>;
  /**
   * Writes a record. Without `value` it deletes the key.
   *
   * @throws `unavailable`, `overloaded`
   */
  append(key: string, value?: JsonValue): Promise<{ readonly offset: number }>;
  close(): void;
}

/** Opens logs; the part of `KafkaBroker` that leases and checkpoints use. */
export interface LogOpener {
  /**
   * Opens a topic of one partition, such as `esdb_gater_revocations`, and reads all its records, including later ones.
   * The topic keeps the last record of each key without limit, unless `retentionMs` is given.
   */
  openLog(options: KafkaLogOptions): KafkaLog;
}

const PARTITION = 0;
const JSON_TYPE = Buffer.from('application/json');

export function openKafkaLog(components: KafkaLogComponents, options: KafkaLogOptions): KafkaLog {
  return new TopicLog(components, options);
}

class TopicLog implements KafkaLog {
  readonly #components: KafkaLogComponents;
  readonly #options: KafkaLogOptions;
  readonly #tail: TopicTail;
  readonly #waiters = new Set<() => void>();
  readonly #removeListener: () => void;
  #closed = false;

  constructor(components: KafkaLogComponents, options: KafkaLogOptions) {
    this.#components = components;
    this.#options = options;
    checkRetention(options.retentionMs);
    components.cluster.track([logPlan(options.topic, options.retentionMs)]);
    const wake = (): void => {
      for (const waiter of this.#waiters) waiter();
    };
    this.#removeListener = components.cluster.onChange(wake);
    this.#tail = new TopicTail(components, {
      topic: options.topic,
      from: 'earliest',
      onOffsetKnown: wake,
      onDamagedBatch: (_, batch) =>
        components.logger.warn(
          { topic: options.topic, ...batch },
          'skipped a damaged batch of Kafka records',
        ),
      onRecords: (_, records) => {
        for (const record of records) this.#handle(record);
        // The tail's position moves after this call.
        queueMicrotask(wake);
      },
    });
  }

  get complete(): boolean {
    return this.#tail.bounds(PARTITION)?.startOffset === 0;
  }

  async ready(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    const { signal } = options;
    const { topic } = this.#options;
    for (let end: number | undefined; ; ) {
      signal?.throwIfAborted();
      if (this.#closed) throw new GaterError('unavailable', `the log ${topic} was closed`);
      end ??= (await this.#components.offsets.latest(topic, [PARTITION])).get(PARTITION);
      const offset = this.#tail.position().offsets[PARTITION];
      if (end !== undefined && offset !== undefined && offset >= end) return;
      await this.#change(signal);
    }
  }

  async append(key: string, value?: JsonValue): Promise<{ readonly offset: number }> {
    const record = {
      key: Buffer.from(key),
      value: value === undefined ? null : Buffer.from(JSON.stringify(value)),
      headers: [['content-type', JSON_TYPE]] as const,
      timestampMs: Math.floor(this.#components.clock.now()),
    };
    const { offset } = await this.#components.sender.send(this.#options.topic, record, null);
    return { offset };
  }

  close(): void {
    this.#closed = true;
    this.#removeListener();
    this.#tail.close();
    for (const waiter of this.#waiters) waiter();
  }

  #handle(record: KafkaRecord): void {
    const { logger } = this.#components;
    const { topic, onRecord } = this.#options;
    try {
      const { offset, timestampMs: timeMs } = record;
      const key = record.key?.toString('utf8') ?? '';
      if (record.value === null) onRecord({ key, offset, timeMs });
      else onRecord({ key, offset, timeMs, value: JSON.parse(record.value.toString('utf8')) as JsonValue });
    } catch (error) {
      logger.warn({ topic, offset: record.offset, cause: error }, 'skipped a record of a log');
    }
  }

  /** Resolves when something changed that `ready` waits for, or the signal aborts. */
  #change(signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiters.add(resolve);
    const stopListening = onAbort(signal, () => resolve());
    return promise.finally(() => {
      this.#waiters.delete(resolve);
      stopListening();
    });
  }
}

function checkRetention(retentionMs: number | undefined): void {
  if (retentionMs === undefined || (Number.isSafeInteger(retentionMs) && retentionMs >= 60_000)) return;
  throw new GaterError('internal', `retentionMs must be an integer of at least 60000, got ${retentionMs}`);
}
