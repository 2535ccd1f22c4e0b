import { onAbort, onNextTurn } from '@esdb-gater/primitives';
import { calculateDelay, retryPolicy } from '@esdb-gater/retry';
import { type Clock, GaterError, type Timer } from '@esdb-gater/types';
import type { Cluster } from '../client/cluster.ts';
import { addressName, type Connections } from '../client/connections.ts';
import {
  type Address,
  type DriverRecord,
  errorName,
  isNonRetriable,
  KAFKA_ERROR,
  type ProduceBatch,
  type ProduceOutcome,
} from '../client/driver.ts';
import { estimateBytes } from './outgoing-record.ts';
import { PartitionQueue, type QueuedRecord, type RecordMetadata } from './partition-queue.ts';
import { partitionOf } from './partitioner.ts';

export interface SenderComponents {
  readonly connections: Connections;
  readonly cluster: Cluster;
  readonly clock: Clock;
  /** Returns false while the tail of this partition has no offset, and would miss records that are sent now. */
  readonly isReady?: (topic: string, partition: number) => boolean;
}

export interface SenderSettings {
  readonly publishTimeoutMs: number;
  readonly queueRecords: number;
  readonly queueBytes: number;
}

/** Limit of one request, over all its partitions. */
const MAX_REQUEST_BYTES = 4 * 1_048_576;
/** For a produce request, or half of the publish timeout if that is less, so that another broker can take the lead. */
const REQUEST_TIMEOUT_MS = 3_000;
const BACKOFF = retryPolicy({ baseDelayMs: 50, maxDelayMs: 500, maxAttempts: 1_000_000 });

/**
 * Writes records to Kafka with acks=all. Batches the records that arrive in one turn of the event loop, or while a
 * request is in flight, into one request to each leader. Keeps the order of a partition through every failure. Sends a
 * record again when its response was lost, so it may be in Kafka twice.
 */
export class Sender {
  readonly #components: SenderComponents;
  readonly #settings: SenderSettings;
  readonly #queues = new Map<string, PartitionQueue>();
  /** Records of topics with unknown partitions. */
  readonly #unassigned = new Map<string, QueuedRecord[]>();
  /** Leaders with a request in flight. */
  readonly #busy = new Set<string>();
  #records = 0;
  #bytes = 0;
  #flushScheduled = false;
  #timer: Timer | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #onIdle: (() => void) | undefined;
  #closing = false;
  #lastError: string | undefined;

  constructor(components: SenderComponents, settings: SenderSettings) {
    this.#components = components;
    this.#settings = settings;
    components.cluster.onChange(() => this.wake());
  }

  /** The records that wait or are in flight, and their bytes. */
  get queued(): { readonly records: number; readonly bytes: number } {
    return { records: this.#records, bytes: this.#bytes };
  }

  /**
   * Sends a record, and resolves when all in-sync replicas have acknowledged it.
   *
   * @throws `unavailable` after the publish timeout, `overloaded` at once when the queue is full, `payload_too_large`,
   * and the reason of `signal`, which does not take the record back from Kafka
   */
  send(
    topic: string,
    record: DriverRecord,
    partitionKey: Buffer | null,
    signal?: AbortSignal,
  ): Promise<RecordMetadata> {
    const result = Promise.withResolvers<RecordMetadata>();
    try {
      signal?.throwIfAborted();
      const bytes = estimateBytes(record);
      this.#admit(bytes);
      const deadline = this.#components.clock.monotonic() + this.#settings.publishTimeoutMs;
      this.#assign(this.#track({ topic, record, bytes, partitionKey, deadline }, result, signal));
      this.#tickAt(deadline);
      this.wake();
    } catch (error) {
      result.reject(error);
    }
    return result.promise;
  }

  /** Sends the records that are ready, at the end of this turn of the event loop. */
  wake(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    onNextTurn(() => {
      this.#flushScheduled = false;
      this.#flush();
    });
  }

  /** Rejects new records, and resolves when the queued ones are settled: within the publish timeout. */
  async close(): Promise<void> {
    this.#closing = true;
    if (this.#records > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#onIdle = resolve;
      await promise;
    }
    this.#timer?.cancel();
  }

  #admit(bytes: number): void {
    const { queueRecords, queueBytes } = this.#settings;
    if (this.#closing) throw new GaterError('unavailable', 'the Kafka broker is closing');
    if (this.#records >= queueRecords || (this.#records > 0 && this.#bytes + bytes > queueBytes)) {
      throw new GaterError(
        'overloaded',
        `the queue for Kafka is full: ${this.#records} records of ${this.#bytes} bytes wait, at most ${queueRecords} of ${queueBytes} bytes may`,
      );
    }
  }

  /** Counts the record as queued until it is settled. */
  #track(
    record: Omit<QueuedRecord, 'sendAlone' | 'settled' | 'resolve' | 'reject'>,
    result: PromiseWithResolvers<RecordMetadata>,
    signal: AbortSignal | undefined,
  ): QueuedRecord {
    this.#records += 1;
    this.#bytes += record.bytes;
    const settle = (): boolean => {
      if (queued.settled) return false;
      queued.settled = true;
      stopListening();
      this.#records -= 1;
      this.#bytes -= record.bytes;
      if (this.#records === 0) this.#onIdle?.();
      return true;
    };
    const queued: QueuedRecord = {
      ...record,
      sendAlone: false,
      settled: false,
      resolve: (metadata) => {
        if (settle()) result.resolve(metadata);
      },
      reject: (error) => {
        if (settle()) result.reject(error);
      },
    };
    const stopListening = onAbort(signal, (reason) => queued.reject(reason));
    return queued;
  }

  /** Puts a record into the queue of its partition. */
  #assign(queued: QueuedRecord): void {
    const { topic, partitionKey } = queued;
    const partitions = this.#components.cluster.partitions(topic);
    if (partitions === undefined) {
      const list = this.#unassigned.get(topic);
      if (list === undefined) this.#unassigned.set(topic, [queued]);
      else list.push(queued);
      return;
    }
    const partition = partitionKey === null ? 0 : partitionOf(partitionKey, partitions);
    const key = `${topic}/${partition}`;
    let queue = this.#queues.get(key);
    if (queue === undefined) {
      queue = new PartitionQueue(topic, partition);
      this.#queues.set(key, queue);
    }
    queue.push(queued);
  }

  #assignUnassigned(): void {
    for (const [topic, list] of this.#unassigned) {
      if (this.#components.cluster.partitions(topic) === undefined) continue;
      this.#unassigned.delete(topic);
      for (const queued of list) if (!queued.settled) this.#assign(queued);
    }
  }

  /** Sends a request to every leader with waiting records and without a request in flight. */
  #flush(): void {
    this.#assignUnassigned();
    const now = this.#components.clock.monotonic();
    const requests = new Map<string, { readonly address: Address; readonly queues: PartitionQueue[] }>();
    let retryAt = Number.POSITIVE_INFINITY;
    for (const queue of this.#queues.values()) {
      if (queue.waiting === 0 || queue.busy) continue;
      if (queue.retryAt > now) {
        retryAt = Math.min(retryAt, queue.retryAt);
        continue;
      }
      if (this.#components.isReady?.(queue.topic, queue.partition) === false) continue;
      const address = this.#components.cluster.leader(queue.topic, queue.partition);
      if (address === undefined) continue;
      const leader = addressName(address);
      if (this.#busy.has(leader)) continue;
      const request = requests.get(leader);
      if (request === undefined) requests.set(leader, { address, queues: [queue] });
      else request.queues.push(queue);
    }
    for (const { address, queues } of requests.values()) void this.#request(address, queues);
    if (retryAt < Number.POSITIVE_INFINITY) this.#tickAt(retryAt);
  }

  async #request(address: Address, queues: readonly PartitionQueue[]): Promise<void> {
    const taken = takeBatches(queues);
    if (taken.size === 0) return;
    const leader = addressName(address);
    this.#busy.add(leader);
    const batches: ProduceBatch[] = [];
    for (const [{ topic, partition }, batch] of taken) {
      batches.push({ topic, partition, records: batch.map(({ record }) => record) });
    }
    const outcomes = await this.#produce(address, batches);
    this.#busy.delete(leader);
    const now = this.#components.clock.monotonic();
    for (const [queue, batch] of taken) {
      const outcome = outcomes.find(
        ({ topic, partition }) => topic === queue.topic && partition === queue.partition,
      );
      this.#settle(queue, batch, outcome, now);
    }
    this.#flush();
  }

  /** Returns no outcome when the response was lost. */
  async #produce(address: Address, batches: readonly ProduceBatch[]): Promise<readonly ProduceOutcome[]> {
    const timeoutMs = Math.min(REQUEST_TIMEOUT_MS, Math.ceil(this.#settings.publishTimeoutMs / 2));
    try {
      return await this.#components.connections.use(
        { purpose: 'produce', address, timeoutMs },
        (connection) => connection.produce(batches, timeoutMs),
      );
    } catch (error) {
      this.#lastError = error instanceof Error ? error.message : String(error);
      return [];
    }
  }

  /** Resolves or rejects the records of a batch, or queues them again. */
  #settle(
    queue: PartitionQueue,
    batch: readonly QueuedRecord[],
    outcome: ProduceOutcome | undefined,
    now: number,
  ): void {
    if (outcome?.error === KAFKA_ERROR.none) {
      queue.finishBatch();
      queue.failures = 0;
      batch.forEach((queued, i) => {
        queued.resolve({ partition: queue.partition, offset: outcome.baseOffset + i });
      });
      return;
    }
    if (outcome !== undefined && isNonRetriable(outcome.error)) {
      const [only] = batch;
      if (batch.length === 1 && only !== undefined) {
        queue.finishBatch();
        only.reject(rejection(outcome.error, queue.topic));
        return;
      }
      for (const queued of batch) queued.sendAlone = true;
      queue.requeueBatch();
      return;
    }
    if (outcome !== undefined) this.#lastError = errorName(outcome.error);
    queue.requeueBatch();
    queue.retryAt = now + calculateDelay(Math.min(queue.failures, 10), BACKOFF);
    queue.failures += 1;
    this.#components.cluster.invalidate();
  }

  /** Moves the timer forward. There is one for all: for the first record that expires or queue that may retry. */
  #tickAt(at: number): void {
    if (at >= this.#timerAt) return;
    this.#timer?.cancel();
    this.#timerAt = at;
    const { clock } = this.#components;
    this.#timer = clock.setTimer(() => this.#tick(), Math.max(0, at - clock.monotonic()));
  }

  /** Expires records and drops empty queues. */
  #tick(): void {
    this.#timerAt = Number.POSITIVE_INFINITY;
    const now = this.#components.clock.monotonic();
    const expire = (queued: QueuedRecord): void => queued.reject(this.#timeoutError(queued.topic));
    let next = Number.POSITIVE_INFINITY;
    for (const [key, queue] of this.#queues) {
      queue.expire(now, expire);
      next = Math.min(next, queue.nextDeadline());
      if (queue.empty) this.#queues.delete(key);
    }
    for (const [topic, list] of this.#unassigned) {
      const kept = list.filter((queued) => {
        if (!queued.settled && queued.deadline <= now) expire(queued);
        return !queued.settled;
      });
      if (kept.length === 0) this.#unassigned.delete(topic);
      else this.#unassigned.set(topic, kept);
      next = Math.min(next, kept[0]?.deadline ?? Number.POSITIVE_INFINITY);
    }
    if (next < Number.POSITIVE_INFINITY) this.#tickAt(next);
    this.#flush();
  }

  #timeoutError(topic: string): GaterError {
    const { status, message } = this.#components.cluster.state;
    const cause = status === 'up' ? this.#lastError : message;
    return new GaterError(
      'unavailable',
      `Kafka did not acknowledge the message on ${topic} within ${this.#settings.publishTimeoutMs} ms${cause === undefined ? '' : `: ${cause}`}`,
    );
  }
}

/** Takes a batch of each queue until the request is full. */
function takeBatches(queues: readonly PartitionQueue[]): Map<PartitionQueue, readonly QueuedRecord[]> {
  const taken = new Map<PartitionQueue, readonly QueuedRecord[]>();
  let bytes = 0;
  for (const queue of queues) {
    if (bytes >= MAX_REQUEST_BYTES) break;
    const batch = queue.takeBatch();
    if (batch.length === 0) continue;
    taken.set(queue, batch);
    for (const queued of batch) bytes += queued.bytes;
  }
  return taken;
}

function rejection(code: number, topic: string): GaterError {
  if (code === KAFKA_ERROR.messageTooLarge || code === KAFKA_ERROR.recordListTooLarge) {
    return new GaterError('payload_too_large', `the message is larger than the Kafka topic ${topic} accepts`);
  }
  return new GaterError('internal', `the Kafka topic ${topic} rejected the message: ${errorName(code)}`);
}
