import { type Clock, GaterError, type JsonValue, type Logger } from '@esdb-gater/types';
import type { Cluster } from '../client/cluster.ts';
import type { Connections } from '../client/connections.ts';
import { logPlan, type TopicPlan } from '../client/topics.ts';
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
  /** When the broker wrote it, Unix milliseconds by its clock. */
  readonly timeMs: number;
}

export interface KafkaLogOptions {
  /** The Kafka topic, made when it is not there. */
  readonly topic: string;
  /** Called for every record in order, the old ones first. */
  readonly onRecord: (record: KafkaLogRecord) => void;
  /** Keep all records for so long, instead of the last one of each key for ever. */
  readonly retentionMs?: number;
}

/** A small topic that every node reads whole. */
export interface KafkaLog {
  /** True when no record was removed from its beginning: what is read is all there ever was. Known once ready. */
  readonly complete: boolean;
  /**
   * Resolves when everything was read that lay there when it was called.
   *
   * @throws the reason of `signal`, `unavailable` once closed; without one it waits for as long as Kafka is away
   */
  ready(options?: { readonly signal?: AbortSignal }): Promise<void>;
  /**
   * Writes a record; without `value` the key is deleted.
   *
   * @throws `unavailable`, `overloaded`
   */
  append(key: string, value?: JsonValue): Promise<{ readonly offset: number }>;
  close(): void;
}

const PARTITION = 0;
const JSON_TYPE = Buffer.from('application/json');

export function openKafkaLog(components: KafkaLogComponents, options: KafkaLogOptions): KafkaLog {
  return new CompactedLog(components, options);
}

class CompactedLog implements KafkaLog {
  readonly #components: KafkaLogComponents;
  readonly #options: KafkaLogOptions;
  readonly #tail: TopicTail;
  readonly #waiting = new Set<() => void>();
  readonly #detach: () => void;
  #closed = false;

  constructor(components: KafkaLogComponents, options: KafkaLogOptions) {
    this.#components = components;
    this.#options = options;
    components.cluster.track([planOf(options)]);
    const wake = (): void => {
      for (const waiter of this.#waiting) waiter();
    };
    this.#detach = components.cluster.onChange(wake);
    this.#tail = new TopicTail(components, {
      topic: options.topic,
      from: 'earliest',
      anchored: wake,
      damaged: (_, batch) =>
        components.logger.warn({ topic: options.topic, ...batch }, 'a batch cannot be read'),
      take: (_, records) => {
        for (const record of records) this.#take(record);
        // The position passes what was taken only after this.
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
    this.#detach();
    this.#tail.close();
    for (const waiter of this.#waiting) waiter();
  }

  #take(record: KafkaRecord): void {
    const { logger } = this.#components;
    const { topic, onRecord } = this.#options;
    try {
      const { offset, timestampMs: timeMs } = record;
      const key = record.key?.toString('utf8') ?? '';
      if (record.value === null) onRecord({ key, offset, timeMs });
      else onRecord({ key, offset, timeMs, value: JSON.parse(record.value.toString('utf8')) as JsonValue });
    } catch (error) {
      logger.warn({ topic, offset: record.offset, cause: error }, 'a record of a log was left out');
    }
  }

  #change(signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    signal?.addEventListener('abort', () => resolve(), { once: true });
    return promise.finally(() => this.#waiting.delete(resolve));
  }
}

function planOf({ topic, retentionMs }: KafkaLogOptions): TopicPlan {
  const plan = logPlan(topic);
  if (retentionMs === undefined) return plan;
  if (!Number.isSafeInteger(retentionMs) || retentionMs < 60_000) {
    throw new GaterError('internal', `retentionMs is ${retentionMs}, expected an integer of at least 60000`);
  }
  const { 'max.compaction.lag.ms': _, 'min.cleanable.dirty.ratio': __, ...settings } = plan.settings;
  return {
    ...plan,
    settings: { ...settings, 'cleanup.policy': 'delete', 'retention.ms': String(retentionMs) },
  };
}
