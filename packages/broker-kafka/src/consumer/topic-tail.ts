import { nextTurn, waitUntil } from '@esdb-gater/primitives';
import type { Clock, Logger } from '@esdb-gater/types';
import type { Cluster } from '../client/cluster.ts';
import { addressName, type Connections } from '../client/connections.ts';
import {
  type Address,
  errorName,
  type FetchOutcome,
  type FetchPartition,
  KAFKA_ERROR,
} from '../client/driver.ts';
import { fetchLoop } from './fetch-loop.ts';
import type { Offsets } from './offsets.ts';
import type { Position } from './position.ts';
import { type DamagedBatch, type KafkaRecord, readRecordSet } from './record-set.ts';

export interface TopicTailComponents {
  readonly connections: Connections;
  readonly cluster: Cluster;
  readonly offsets: Offsets;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface TopicTailOptions {
  readonly topic: string;
  readonly from: 'latest' | 'earliest';
  /**
   * Handles records of one partition, in order, before the tail's position passes them. `nextOffset` is the partition's
   * next offset. Without records the partition has only passed offsets that hold none.
   */
  readonly onRecords: (partition: number, records: readonly KafkaRecord[], nextOffset: number) => void;
  readonly onDamagedBatch: (partition: number, batch: DamagedBatch) => void;
  /** Called when a partition gets its first offset, so that records sent to it from now on will be read. */
  readonly onOffsetKnown: () => void;
}

interface PartitionState {
  /** Of the next record; undefined until it is known where to begin. */
  offset: number | undefined;
  /** While the offset is undefined: the least offset that a replay has asked for. The tail begins no later. */
  replayedFrom: number | undefined;
  /** From the last response. */
  bounds: PartitionBounds | undefined;
}

export interface PartitionBounds {
  /** The offset of the first record that Kafka still keeps. */
  readonly startOffset: number;
  /** The offset after the last committed record. */
  readonly endOffset: number;
  /** The same with the records of open transactions, which hold back all that follow. */
  readonly writtenOffset: number;
}

/** For so long after the start, the end of a partition is where "from now on" begins. */
const START_WITHIN_MS = 2_000;
/** The number of records that are delivered before the event loop can run. */
const SLICE_RECORDS = 512;

/**
 * Reads every partition of a topic from its offset on, without a consumer group. Keeps one fetch in flight at each
 * broker that leads some of the partitions; a partition without a leader waits alone. Offsets survive every failure, so
 * each record is delivered exactly once.
 */
export class TopicTail {
  readonly topic: string;
  readonly #components: TopicTailComponents;
  readonly #options: TopicTailOptions;
  readonly #purpose: string;
  readonly #partitions: PartitionState[] = [];
  /** The brokers with a fetch in progress. */
  readonly #loops = new Set<string>();
  readonly #startedAt: number;
  /** Where partitions without an offset begin, by the wall clock: at the start, or earlier if a replay needs it. */
  #sinceMs: number;
  readonly #waiters = new Set<() => void>();
  readonly #removeListener: () => void;
  #findingOffsets = false;
  #rotation = 0;
  #closed = false;
  #error: string | undefined;

  constructor(components: TopicTailComponents, options: TopicTailOptions) {
    this.topic = options.topic;
    this.#components = components;
    this.#options = options;
    this.#purpose = `tail:${options.topic}`;
    this.#startedAt = components.clock.monotonic();
    this.#sinceMs = Math.floor(components.clock.now());
    this.#removeListener = components.cluster.onChange(() => this.#update());
    this.#update();
  }

  /** Returns true when everything that is sent to the partition from now on will be read. */
  hasOffset(partition: number): boolean {
    return this.#partitions[partition]?.offset !== undefined;
  }

  /** True when some partition has an offset. */
  get hasAnyOffset(): boolean {
    return this.#partitions.some(({ offset }) => offset !== undefined);
  }

  /** Returns the position after all delivered records. */
  position(): Position {
    const offsets = this.#partitions.map(({ offset, replayedFrom }) => offset ?? replayedFrom);
    const complete = offsets.length > 0 && !offsets.includes(undefined);
    return complete ? { offsets } : { offsets, sinceMs: this.#sinceMs };
  }

  /** Waits until some partition has an offset. Resolves with false when that takes longer than `timeoutMs`. */
  async waitForAnyOffset(timeoutMs: number): Promise<boolean> {
    await this.#waitUntil(() => this.hasAnyOffset, timeoutMs);
    return this.hasAnyOffset;
  }

  /** Resolves when all records before the offsets have been delivered, or the tail is closed, or after `timeoutMs`. */
  async waitForOffsets(ends: ReadonlyMap<number, number>, timeoutMs: number): Promise<void> {
    const reached = (): boolean =>
      [...ends].every(([partition, end]) => (this.#partitions[partition]?.offset ?? 0) >= end);
    await this.#waitUntil(reached, timeoutMs);
  }

  /** Returns the bounds of a partition as of the last response, or undefined before the first one. */
  bounds(partition: number): PartitionBounds | undefined {
    return this.#partitions[partition]?.bounds;
  }

  /** The number of records in Kafka that are not delivered yet, those that an open transaction holds back included. */
  get lag(): number {
    let lag = 0;
    for (const { offset, bounds } of this.#partitions) {
      if (bounds !== undefined && offset !== undefined) lag += Math.max(0, bounds.writtenOffset - offset);
    }
    return lag;
  }

  /** Why some partitions are not read now, or undefined. */
  get error(): string | undefined {
    if (this.#error !== undefined) return this.#error;
    const complete = this.hasAnyOffset && this.#partitions.every(({ offset }) => offset !== undefined);
    return complete ? undefined : `not every partition of ${this.topic} is being read yet`;
  }

  /**
   * Tells the tail that a replay begins at this offset, or at this time where the offset is unknown. A partition that
   * has no offset yet then begins no later, so that the replay and the tail leave no gap.
   */
  beginNoLaterThan(partition: number, offset: number | undefined, sinceMs: number): void {
    const state = this.#partitions[partition];
    if (state === undefined || state.offset !== undefined) return;
    if (offset === undefined) this.#sinceMs = Math.min(this.#sinceMs, sinceMs);
    else state.replayedFrom = Math.min(state.replayedFrom ?? offset, offset);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#removeListener();
    this.#components.connections.closePurpose(this.#purpose);
    this.#wakeWaiters();
  }

  /** Resolves when the condition holds, or the tail is closed, or after `timeoutMs`. */
  async #waitUntil(holds: () => boolean, timeoutMs: number): Promise<void> {
    const { clock } = this.#components;
    const onChange = (listener: () => void) => {
      this.#waiters.add(listener);
      return () => this.#waiters.delete(listener);
    };
    await waitUntil(() => holds() || this.#closed, onChange, { timeoutMs, clock });
  }

  #wakeWaiters(): void {
    for (const check of this.#waiters) check();
  }

  /** Follows the metadata: adds new partitions, and starts to fetch from new leaders. */
  #update(): void {
    if (this.#closed) return;
    const { cluster } = this.#components;
    const count = cluster.partitions(this.topic) ?? 0;
    const before = this.#partitions.length;
    while (this.#partitions.length < count) {
      // All records of a partition that was added later are new.
      const offset = before > 0 ? 0 : undefined;
      this.#partitions.push({ offset, replayedFrom: undefined, bounds: undefined });
    }
    if (before > 0 && count > before) this.#options.onOffsetKnown();
    void this.#findOffsets();
    for (let partition = 0; partition < count; partition++) {
      const leader = cluster.leader(this.topic, partition);
      if (leader !== undefined && this.hasOffset(partition)) this.#startLoop(leader);
    }
  }

  /** Finds out where the partitions begin that have a leader and no offset. */
  async #findOffsets(): Promise<void> {
    const { cluster } = this.#components;
    const partitions = this.#partitions.flatMap(({ offset }, partition) =>
      offset === undefined && cluster.leader(this.topic, partition) !== undefined ? [partition] : [],
    );
    if (partitions.length === 0 || this.#findingOffsets) return;
    this.#findingOffsets = true;
    const found = await this.#startOffsets(partitions);
    this.#findingOffsets = false;
    if (this.#closed) return;
    for (const [partition, offset] of found) {
      const state = this.#partitions[partition];
      if (state !== undefined) state.offset ??= Math.min(offset, state.replayedFrom ?? offset);
    }
    if (found.size > 0) {
      this.#options.onOffsetKnown();
      this.#wakeWaiters();
      this.#update();
    }
  }

  #startOffsets(partitions: readonly number[]): Promise<Map<number, number>> {
    const { clock, offsets } = this.#components;
    if (this.#options.from === 'earliest') return offsets.earliest(this.topic, partitions);
    if (clock.monotonic() - this.#startedAt < START_WITHIN_MS) return offsets.latest(this.topic, partitions);
    // The end would be too late: it is after the records that were written while this node could not reach Kafka.
    return offsets.atTime(this.topic, partitions, this.#sinceMs);
  }

  #startLoop(address: Address): void {
    const leader = addressName(address);
    if (this.#loops.has(leader)) return;
    this.#loops.add(leader);
    const { connections, clock, cluster } = this.#components;
    void fetchLoop({
      connections,
      clock,
      purpose: this.#purpose,
      address,
      wanted: () => this.#wanted(leader),
      onOutcomes: (outcomes) => this.#handle(outcomes),
      onError: (error) => {
        if (this.#closed) return;
        this.#error = error instanceof Error ? error.message : String(error);
        cluster.invalidate();
      },
    }).then(() => {
      this.#loops.delete(leader);
      this.#update();
    });
  }

  /** Returns the partitions that a broker leads, each time another one first, since the first may fill a response. */
  #wanted(leader: string): readonly FetchPartition[] {
    if (this.#closed) return [];
    const wanted: FetchPartition[] = [];
    this.#partitions.forEach(({ offset }, partition) => {
      const address = this.#components.cluster.leader(this.topic, partition);
      if (offset === undefined || address === undefined || addressName(address) !== leader) return;
      wanted.push({ topic: this.topic, partition, offset });
    });
    const cut = this.#rotation++ % Math.max(1, wanted.length);
    return [...wanted.slice(cut), ...wanted.slice(0, cut)];
  }

  /** Handles a response. Returns false when a partition of the response has an error. */
  async #handle(outcomes: readonly FetchOutcome[]): Promise<boolean> {
    let ok = true;
    for (const outcome of outcomes) {
      const state = this.#partitions[outcome.partition];
      if (state?.offset === undefined || this.#closed) continue;
      if (outcome.error === KAFKA_ERROR.none) {
        const { startOffset, endOffset, writtenOffset } = outcome;
        state.bounds = { startOffset, endOffset, writtenOffset };
        if (outcome.records.length > 0) await this.#handOver(outcome, state);
      } else if (outcome.error === KAFKA_ERROR.offsetOutOfRange) {
        await this.#skipToFirst(outcome.partition, state);
      } else {
        ok = false;
        this.#error = errorName(outcome.error);
        this.#components.cluster.invalidate();
      }
    }
    if (ok) this.#error = undefined;
    this.#wakeWaiters();
    return ok;
  }

  async #handOver(outcome: FetchOutcome, state: PartitionState): Promise<void> {
    const { partition } = outcome;
    const from = state.offset ?? 0;
    const { records, nextOffset, damaged } = readRecordSet(outcome.records, from, outcome.aborted);
    for (const batch of damaged) this.#options.onDamagedBatch(partition, batch);
    for (let at = 0; at < records.length; at += SLICE_RECORDS) {
      if (at > 0) await nextTurn();
      if (this.#closed) return;
      const slice = records.slice(at, at + SLICE_RECORDS);
      // When the leader changes, the old and the new one may both respond: only the first response counts.
      const fresh = slice.filter(({ offset }) => offset >= (state.offset ?? 0));
      const last = fresh.at(-1);
      if (last === undefined) continue;
      const next = at + SLICE_RECORDS >= records.length ? nextOffset : last.offset + 1;
      this.#options.onRecords(partition, fresh, next);
      state.offset = next;
    }
    if ((state.offset ?? 0) < nextOffset) {
      this.#options.onRecords(partition, [], nextOffset);
      state.offset = nextOffset;
    }
  }

  /** Continues with the first available record, after retention or a new topic of this name removed the next one. */
  async #skipToFirst(partition: number, state: PartitionState): Promise<void> {
    const { offsets, logger } = this.#components;
    const first = (await offsets.earliest(this.topic, [partition])).get(partition);
    if (first === undefined) return;
    logger.warn(
      { topic: this.topic, partition, offset: state.offset, first },
      'lost records that Kafka removed before they were read',
    );
    this.#options.onRecords(partition, [], first);
    state.offset = first;
  }
}
