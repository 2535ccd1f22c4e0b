import { calculateDelay, retryPolicy } from '@esdb-gater/retry';
import { type Clock, GaterError, type Timer } from '@esdb-gater/types';
import type { Cluster } from '../client/cluster.ts';
import type { Connections } from '../client/connections.ts';
import type { Address, DriverRecord, ProduceBatch, ProduceOutcome } from '../client/driver.ts';
import { errorName, isRefusal, KAFKA_ERROR } from '../client/error-codes.ts';
import { sizeOf } from './outgoing-record.ts';
import { type Accepted, Lane, type Waiting } from './partition-queue.ts';
import { partitionOf } from './partitioner.ts';

export interface SenderComponents {
  readonly connections: Connections;
  readonly cluster: Cluster;
  readonly clock: Clock;
  /** False holds a partition back: its reader has not found its place yet, and would miss what is sent now. */
  readonly mayBegin?: (topic: string, partition: number) => boolean;
}

export interface SenderSettings {
  readonly publishTimeoutMs: number;
  readonly queueRecords: number;
  readonly queueBytes: number;
}

/** One request takes no more from all its partitions together. */
const REQUEST_BYTES = 4 * 1_048_576;
/** A broker that hangs is given up after this, or sooner when a publish has less, so that another may lead. */
const REQUEST_TIMEOUT_MS = 3_000;
const BACKOFF = retryPolicy({ baseDelayMs: 50, maxDelayMs: 500, maxAttempts: 1_000_000 });

/**
 * Hands records to Kafka with acks=all. What comes in one turn of the event loop, and while a request is under way,
 * goes in one request to each leader. Records of one partition keep their order through every failure; a record
 * whose answer was lost is sent again, so it may lie there twice.
 */
export class Sender {
  readonly #components: SenderComponents;
  readonly #settings: SenderSettings;
  readonly #lanes = new Map<string, Lane>();
  /** Records of topics whose partitions are not known yet. */
  readonly #unplaced = new Map<string, Waiting[]>();
  readonly #busy = new Set<string>();
  #records = 0;
  #bytes = 0;
  #scheduled = false;
  #timer: Timer | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #idle: (() => void) | undefined;
  #closing = false;
  #lastError: string | undefined;

  constructor(components: SenderComponents, settings: SenderSettings) {
    this.#components = components;
    this.#settings = settings;
    components.cluster.onChange(() => this.wake());
  }

  /** Records that wait or are under way, and their bytes. */
  get queued(): { readonly records: number; readonly bytes: number } {
    return { records: this.#records, bytes: this.#bytes };
  }

  /**
   * Resolves when the record is acknowledged by all in-sync replicas.
   *
   * @throws `unavailable` when that takes longer than the bound, `overloaded` at once when what may wait is full,
   * `payload_too_large`, and the reason of `signal`, which ends only the waiting
   */
  send(
    topic: string,
    record: DriverRecord,
    partitionKey: Buffer | null,
    signal?: AbortSignal,
  ): Promise<Accepted> {
    const { promise, resolve, reject } = Promise.withResolvers<Accepted>();
    try {
      signal?.throwIfAborted();
      const waiting = this.#admit(topic, record, partitionKey, resolve, reject, signal);
      this.#place(waiting);
      this.#watch(waiting.deadline);
      this.wake();
    } catch (error) {
      reject(error);
    }
    return promise;
  }

  /** Looks for what can be sent now, at the end of this turn. */
  wake(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  /** Takes nothing more, and resolves when nothing waits: within the bound of a publish. */
  async close(): Promise<void> {
    this.#closing = true;
    if (this.#records > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#idle = resolve;
      await promise;
    }
    this.#timer?.cancel();
  }

  #admit(
    topic: string,
    record: DriverRecord,
    partitionKey: Buffer | null,
    resolve: (accepted: Accepted) => void,
    reject: (error: unknown) => void,
    signal: AbortSignal | undefined,
  ): Waiting {
    const { queueRecords, queueBytes, publishTimeoutMs } = this.#settings;
    if (this.#closing) throw new GaterError('unavailable', 'the Kafka broker adapter is closing');
    const bytes = sizeOf(record);
    if (this.#records >= queueRecords || (this.#records > 0 && this.#bytes + bytes > queueBytes)) {
      throw new GaterError(
        'overloaded',
        `${this.#records} records of ${this.#bytes} bytes wait for Kafka already, at most ${queueRecords} of ${queueBytes} bytes may`,
      );
    }
    this.#records += 1;
    this.#bytes += bytes;
    const settle = (): boolean => {
      if (waiting.settled) return false;
      waiting.settled = true;
      signal?.removeEventListener('abort', aborted);
      this.#records -= 1;
      this.#bytes -= bytes;
      if (this.#records === 0) this.#idle?.();
      return true;
    };
    const aborted = (): void => {
      if (settle()) reject(signal?.reason);
    };
    const waiting: Waiting = {
      topic,
      record,
      bytes,
      partitionKey,
      deadline: this.#components.clock.monotonic() + publishTimeoutMs,
      alone: false,
      settled: false,
      accept: (accepted) => {
        if (settle()) resolve(accepted);
      },
      refuse: (error) => {
        if (settle()) reject(error);
      },
    };
    signal?.addEventListener('abort', aborted);
    return waiting;
  }

  #place(waiting: Waiting): void {
    const { topic, partitionKey } = waiting;
    const partitions = this.#components.cluster.partitions(topic);
    if (partitions === undefined) {
      const list = this.#unplaced.get(topic);
      if (list === undefined) this.#unplaced.set(topic, [waiting]);
      else list.push(waiting);
      return;
    }
    const partition = partitionKey === null ? 0 : partitionOf(partitionKey, partitions);
    const key = `${topic}/${partition}`;
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      lane = new Lane(topic, partition);
      this.#lanes.set(key, lane);
    }
    lane.push(waiting);
  }

  #flush(): void {
    this.#placeUnplaced();
    const now = this.#components.clock.monotonic();
    const requests = new Map<string, { readonly address: Address; readonly lanes: Lane[] }>();
    let wakeAt = Number.POSITIVE_INFINITY;
    for (const lane of this.#lanes.values()) {
      if (lane.waiting === 0 || lane.busy) continue;
      if (lane.notBefore > now) {
        wakeAt = Math.min(wakeAt, lane.notBefore);
        continue;
      }
      if (this.#components.mayBegin?.(lane.topic, lane.partition) === false) continue;
      const address = this.#components.cluster.leader(lane.topic, lane.partition);
      if (address === undefined) continue;
      const key = `${address.host}:${address.port}`;
      if (this.#busy.has(key)) continue;
      const request = requests.get(key);
      if (request === undefined) requests.set(key, { address, lanes: [lane] });
      else request.lanes.push(lane);
    }
    for (const [key, { address, lanes }] of requests) void this.#request(key, address, lanes);
    if (wakeAt < Number.POSITIVE_INFINITY) this.#watch(wakeAt);
  }

  #placeUnplaced(): void {
    for (const [topic, list] of this.#unplaced) {
      if (this.#components.cluster.partitions(topic) === undefined) continue;
      this.#unplaced.delete(topic);
      for (const waiting of list) if (!waiting.settled) this.#place(waiting);
    }
  }

  async #request(key: string, address: Address, lanes: readonly Lane[]): Promise<void> {
    const { clock, connections } = this.#components;
    const taken = new Map<Lane, readonly Waiting[]>();
    let bytes = 0;
    for (const lane of lanes) {
      if (bytes >= REQUEST_BYTES) break;
      const batch = lane.take();
      if (batch.length === 0) continue;
      taken.set(lane, batch);
      for (const waiting of batch) bytes += waiting.bytes;
    }
    if (taken.size === 0) return;
    this.#busy.add(key);
    const timeoutMs = Math.min(REQUEST_TIMEOUT_MS, Math.ceil(this.#settings.publishTimeoutMs / 2));
    const batches: ProduceBatch[] = [];
    for (const [{ topic, partition }, batch] of taken) {
      batches.push({ topic, partition, records: batch.map(({ record }) => record) });
    }
    let outcomes: readonly ProduceOutcome[] = [];
    try {
      outcomes = await connections.use({ lane: 'produce', address, timeoutMs }, (connection) =>
        connection.produce(batches, timeoutMs),
      );
    } catch (error) {
      this.#lastError = error instanceof Error ? error.message : String(error);
    }
    this.#busy.delete(key);
    for (const [lane, batch] of taken) {
      const outcome = outcomes.find(
        ({ topic, partition }) => topic === lane.topic && partition === lane.partition,
      );
      this.#conclude(lane, batch, outcome, clock.monotonic());
    }
    this.#flush();
  }

  #conclude(lane: Lane, batch: readonly Waiting[], outcome: ProduceOutcome | undefined, now: number): void {
    if (outcome?.error === KAFKA_ERROR.none) {
      lane.done();
      lane.failures = 0;
      batch.forEach((waiting, i) => {
        waiting.accept({ partition: lane.partition, offset: outcome.baseOffset + i });
      });
      return;
    }
    if (outcome !== undefined && isRefusal(outcome.error)) {
      const [only] = batch;
      if (batch.length === 1 && only !== undefined) {
        lane.done();
        only.refuse(refusal(outcome.error, lane.topic));
        return;
      }
      for (const waiting of batch) waiting.alone = true;
      lane.putBack();
      return;
    }
    if (outcome !== undefined) this.#lastError = errorName(outcome.error);
    lane.putBack();
    lane.notBefore = now + calculateDelay(Math.min(lane.failures, 10), BACKOFF);
    lane.failures += 1;
    this.#components.cluster.invalidate();
  }

  /** One timer for all: the earliest moment at which a record expires or a lane may try again. */
  #watch(at: number): void {
    if (at >= this.#timerAt) return;
    this.#timer?.cancel();
    this.#timerAt = at;
    const { clock } = this.#components;
    this.#timer = clock.setTimer(() => this.#tick(), Math.max(0, at - clock.monotonic()));
  }

  #tick(): void {
    this.#timerAt = Number.POSITIVE_INFINITY;
    const now = this.#components.clock.monotonic();
    const expire = (waiting: Waiting): void => waiting.refuse(this.#expired(waiting.topic));
    let next = Number.POSITIVE_INFINITY;
    for (const [key, lane] of this.#lanes) {
      lane.sweep(now, expire);
      next = Math.min(next, lane.nextDeadline());
      if (lane.empty) this.#lanes.delete(key);
    }
    for (const [topic, list] of this.#unplaced) {
      const kept = list.filter((waiting) => {
        if (!waiting.settled && waiting.deadline <= now) expire(waiting);
        return !waiting.settled;
      });
      if (kept.length === 0) this.#unplaced.delete(topic);
      else this.#unplaced.set(topic, kept);
      next = Math.min(next, kept[0]?.deadline ?? Number.POSITIVE_INFINITY);
    }
    if (next < Number.POSITIVE_INFINITY) this.#watch(next);
    this.#flush();
  }

  #expired(topic: string): GaterError {
    const { status, message } = this.#components.cluster.state;
    const cause = status === 'up' ? this.#lastError : message;
    return new GaterError(
      'unavailable',
      `Kafka did not accept the message on ${topic} within ${this.#settings.publishTimeoutMs} ms${cause === undefined ? '' : `: ${cause}`}`,
    );
  }
}

function refusal(code: number, topic: string): GaterError {
  if (code === KAFKA_ERROR.messageTooLarge || code === KAFKA_ERROR.recordListTooLarge) {
    return new GaterError('payload_too_large', `the message is larger than the Kafka topic ${topic} takes`);
  }
  return new GaterError('internal', `the Kafka topic ${topic} does not take the message: ${errorName(code)}`);
}
