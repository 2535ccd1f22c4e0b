import { Fifo } from '@esdb-gater/primitives';
import type { DriverRecord } from '../client/driver.ts';

/** Where Kafka wrote a record. */
export interface RecordMetadata {
  readonly partition: number;
  readonly offset: number;
}

/** A record that waits for Kafka, and the promise of its sender. */
export interface QueuedRecord {
  readonly topic: string;
  readonly record: DriverRecord;
  readonly bytes: number;
  /** The key that determines the partition; null means the first partition. */
  readonly partitionKey: Buffer | null;
  /** On the monotonic clock. */
  readonly deadline: number;
  /** Kafka rejected a batch with this record; it is sent alone to find the invalid record. */
  sendAlone: boolean;
  /** The sender has its result: from Kafka, by the deadline or by its signal. */
  settled: boolean;
  readonly resolve: (metadata: RecordMetadata) => void;
  readonly reject: (error: unknown) => void;
}

/** Limits of one batch. A single larger record is still sent. */
const MAX_BATCH_RECORDS = 5_000;
const MAX_BATCH_BYTES = 900_000;

/**
 * Queues the records of one partition in the order of their sends. At most one batch is in flight, and a batch that
 * failed goes first again, so records with the same key never overtake each other.
 */
export class PartitionQueue {
  readonly topic: string;
  readonly partition: number;
  #queue = new Fifo<QueuedRecord>();
  #inFlight: readonly QueuedRecord[] = [];
  /** Failed batches in a row. */
  failures = 0;
  /** When the next batch may be sent, on the monotonic clock. */
  retryAt = 0;

  constructor(topic: string, partition: number) {
    this.topic = topic;
    this.partition = partition;
  }

  /** How many records wait, without those in flight. */
  get waiting(): number {
    return this.#queue.length;
  }

  get busy(): boolean {
    return this.#inFlight.length > 0;
  }

  get empty(): boolean {
    return this.waiting === 0 && !this.busy;
  }

  push(record: QueuedRecord): void {
    this.#queue.push(record);
  }

  /** Takes the next batch, which is in flight until `finishBatch` or `requeueBatch`. Skips settled records. */
  takeBatch(): readonly QueuedRecord[] {
    const batch: QueuedRecord[] = [];
    let bytes = 0;
    for (let next = this.#queue.first; next !== undefined; next = this.#queue.first) {
      if (!next.settled) {
        const full =
          batch.length >= MAX_BATCH_RECORDS || bytes + next.bytes > MAX_BATCH_BYTES || next.sendAlone;
        if (batch.length > 0 && full) break;
        batch.push(next);
        bytes += next.bytes;
      }
      this.#queue.shift();
      if (next.sendAlone && !next.settled) break;
    }
    this.#inFlight = batch;
    return batch;
  }

  finishBatch(): void {
    this.#inFlight = [];
  }

  /** Puts the batch in flight back to the front, without settled records. */
  requeueBatch(): void {
    const waiting = this.#queue;
    this.#queue = new Fifo();
    for (const record of this.#inFlight) if (!record.settled) this.#queue.push(record);
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) this.#queue.push(next);
    this.#inFlight = [];
  }

  /** Calls `expire` with every record whose deadline has passed, in flight or waiting. They are in that order. */
  expire(now: number, expire: (record: QueuedRecord) => void): void {
    for (const record of this.#inFlight) {
      if (!record.settled && record.deadline <= now) expire(record);
    }
    for (let next = this.#queue.first; next !== undefined; next = this.#queue.first) {
      if (!next.settled && next.deadline > now) break;
      if (!next.settled) expire(next);
      this.#queue.shift();
    }
  }

  /** Returns when the next record expires, or infinity. */
  nextDeadline(): number {
    const waiting = this.#queue.first?.deadline ?? Number.POSITIVE_INFINITY;
    const inFlight = this.#inFlight.find(({ settled }) => !settled)?.deadline ?? Number.POSITIVE_INFINITY;
    return Math.min(waiting, inFlight);
  }
}
