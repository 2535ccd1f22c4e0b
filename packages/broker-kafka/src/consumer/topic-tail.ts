import type { Clock, Logger } from '@esdb-gater/types';
import type { Cluster } from '../client/cluster.ts';
import type { Connections } from '../client/connections.ts';
import type { Address, FetchOutcome, FetchPartition } from '../client/driver.ts';
import { errorName, KAFKA_ERROR } from '../client/error-codes.ts';
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
   * Takes records of one partition, in order, before the tail's position passes them. `nextOffset` is where the
   * partition stands once they are taken; without records it has only passed what holds none.
   */
  readonly take: (partition: number, records: readonly KafkaRecord[], nextOffset: number) => void;
  readonly damaged: (partition: number, batch: DamagedBatch) => void;
  /** A partition has found its place, and what is sent to it now will be seen. */
  readonly anchored: () => void;
}

interface PartitionState {
  /** Of the next record; undefined until the partition has found its place. */
  offset: number | undefined;
  /** Where a partition begins that only later finds its place, when a reader needs more than the tail. */
  wanted: number | undefined;
  /** What the last answer said. */
  startOffset: number;
  endOffset: number;
  /** An answer said so; until then the two above are not known. */
  seen: boolean;
}

/** Later than this, "from now on" is no longer what the end of a partition means. */
const PROMPT_MS = 2_000;
/** Records handed over before others get a turn of the event loop. */
const SLICE = 512;

/**
 * Reads every partition of a topic from its place on, without a consumer group: one question at a time to each
 * broker that leads some of them. A partition without a leader waits alone. Its place survives every failure, so
 * nothing is left out and nothing comes twice from here.
 */
export class TopicTail {
  readonly topic: string;
  readonly #components: TopicTailComponents;
  readonly #options: TopicTailOptions;
  readonly #lane: string;
  readonly #partitions: PartitionState[] = [];
  readonly #loops = new Set<string>();
  readonly #startedAt: number;
  /** By the wall clock: when it began, or what a reader before it needs. */
  #sinceMs: number;
  /** Those who wait for it to get somewhere; called whenever it did. */
  readonly #waiters = new Set<() => void>();
  readonly #detach: () => void;
  #anchoring = false;
  #rotation = 0;
  #closed = false;
  #error: string | undefined;

  constructor(components: TopicTailComponents, options: TopicTailOptions) {
    this.topic = options.topic;
    this.#components = components;
    this.#options = options;
    this.#lane = `tail:${options.topic}`;
    this.#startedAt = components.clock.monotonic();
    this.#sinceMs = Math.floor(components.clock.now());
    this.#detach = components.cluster.onChange(() => this.#arrange());
    this.#arrange();
  }

  /** True when all that is sent to the partition from now on will be seen. */
  isAnchored(partition: number): boolean {
    return this.#partitions[partition]?.offset !== undefined;
  }

  /** Where it stands: everything before was taken, nothing after. */
  position(): Position {
    // A reader that waits at a partition keeps its place there, and the tail begins no later.
    const offsets = this.#partitions.map(({ offset, wanted }) => offset ?? wanted);
    const complete = offsets.length > 0 && !offsets.includes(undefined);
    return complete ? { offsets } : { offsets, sinceMs: this.#sinceMs };
  }

  /** True when the place of some partition is known. */
  get known(): boolean {
    return this.#partitions.some(({ offset }) => offset !== undefined);
  }

  /** Resolves when the place of some partition is known; false when that takes longer than `withinMs`. */
  async whenKnown(withinMs: number): Promise<boolean> {
    await this.#until(() => this.known, withinMs);
    return this.known;
  }

  /** Resolves when it has taken all that lies before the offsets, or is closed, or after `withinMs`. */
  async whenPassed(ends: ReadonlyMap<number, number>, withinMs: number): Promise<void> {
    const passed = (): boolean =>
      [...ends].every(([partition, end]) => (this.#partitions[partition]?.offset ?? 0) >= end);
    await this.#until(passed, withinMs);
  }

  /** First offsets and ends as the last answers gave them; undefined for a partition that gave none yet. */
  bounds(partition: number): { readonly startOffset: number; readonly endOffset: number } | undefined {
    const state = this.#partitions[partition];
    return state?.seen === true ? { startOffset: state.startOffset, endOffset: state.endOffset } : undefined;
  }

  /** Records that lie in Kafka and were not taken yet. */
  get lag(): number {
    let lag = 0;
    for (const { offset, endOffset, seen } of this.#partitions) {
      if (seen && offset !== undefined) lag += Math.max(0, endOffset - offset);
    }
    return lag;
  }

  /** Why not everything comes at this moment, if so. */
  get error(): string | undefined {
    if (this.#error !== undefined) return this.#error;
    const complete = this.known && this.#partitions.every(({ offset }) => offset !== undefined);
    return complete ? undefined : `not every partition of ${this.topic} is being read yet`;
  }

  /**
   * A reader stands at this offset of a partition that may have no place yet, or where only this time is known: the
   * tail must not begin after it.
   */
  want(partition: number, offset: number | undefined, sinceMs: number): void {
    const state = this.#partitions[partition];
    if (state === undefined || state.offset !== undefined) return;
    if (offset === undefined) this.#sinceMs = Math.min(this.#sinceMs, sinceMs);
    else state.wanted = Math.min(state.wanted ?? offset, offset);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#detach();
    this.#components.connections.closeLane(this.#lane);
    this.#moved();
  }

  /** Resolves when the condition holds, or the tail is closed, or after `withinMs`. */
  async #until(holds: () => boolean, withinMs: number): Promise<void> {
    if (holds() || this.#closed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = (): void => {
      if (holds() || this.#closed) resolve();
    };
    this.#waiters.add(look);
    const timer = this.#components.clock.setTimer(resolve, withinMs);
    await promise;
    timer.cancel();
    this.#waiters.delete(look);
  }

  #moved(): void {
    for (const look of this.#waiters) look();
  }

  /** After news of the cluster: new partitions, other leaders. */
  #arrange(): void {
    if (this.#closed) return;
    const { cluster } = this.#components;
    const count = cluster.partitions(this.topic) ?? 0;
    const before = this.#partitions.length;
    while (this.#partitions.length < count) {
      // A partition that was added to a topic that we follow holds nothing but what is new.
      const offset = before > 0 ? 0 : undefined;
      this.#partitions.push({ offset, wanted: undefined, startOffset: 0, endOffset: 0, seen: false });
    }
    if (before > 0 && count > before) this.#options.anchored();
    void this.#anchor();
    for (let partition = 0; partition < count; partition++) {
      const leader = cluster.leader(this.topic, partition);
      if (leader !== undefined && this.isAnchored(partition)) this.#run(leader);
    }
  }

  async #anchor(): Promise<void> {
    const { cluster, clock, offsets } = this.#components;
    const lost = this.#partitions.flatMap(({ offset }, partition) =>
      offset === undefined && cluster.leader(this.topic, partition) !== undefined ? [partition] : [],
    );
    if (lost.length === 0 || this.#anchoring) return;
    this.#anchoring = true;
    let places: Map<number, number>;
    if (this.#options.from === 'earliest') {
      places = await offsets.earliest(this.topic, lost);
    } else if (clock.monotonic() - this.#startedAt < PROMPT_MS) {
      places = await offsets.latest(this.topic, lost);
    } else {
      // What came while Kafka was away from us is to be seen, so the end would be too late a place.
      places = await offsets.atTime(this.topic, lost, this.#sinceMs);
    }
    this.#anchoring = false;
    if (this.#closed) return;
    for (const [partition, offset] of places) {
      const state = this.#partitions[partition];
      if (state !== undefined) state.offset ??= Math.min(offset, state.wanted ?? offset);
    }
    if (places.size > 0) {
      this.#options.anchored();
      this.#moved();
      this.#arrange();
    }
  }

  #run(address: Address): void {
    const key = `${address.host}:${address.port}`;
    if (this.#loops.has(key)) return;
    this.#loops.add(key);
    const { connections, clock, cluster } = this.#components;
    void fetchLoop({
      connections,
      clock,
      lane: this.#lane,
      address,
      wanted: () => this.#wanted(key),
      take: (outcomes) => this.#take(outcomes),
      failed: (error) => {
        if (this.#closed) return;
        this.#error = error instanceof Error ? error.message : String(error);
        cluster.invalidate();
      },
    }).then(() => {
      this.#loops.delete(key);
      this.#arrange();
    });
  }

  /** The partitions that this broker leads, in an order that changes, as an answer may be filled by the first. */
  #wanted(key: string): readonly FetchPartition[] {
    if (this.#closed) return [];
    const wanted: FetchPartition[] = [];
    this.#partitions.forEach(({ offset }, partition) => {
      const leader = this.#components.cluster.leader(this.topic, partition);
      if (offset === undefined || leader === undefined || `${leader.host}:${leader.port}` !== key) return;
      wanted.push({ topic: this.topic, partition, offset });
    });
    const cut = this.#rotation++ % Math.max(1, wanted.length);
    return [...wanted.slice(cut), ...wanted.slice(0, cut)];
  }

  async #take(outcomes: readonly FetchOutcome[]): Promise<boolean> {
    let well = true;
    for (const outcome of outcomes) {
      const state = this.#partitions[outcome.partition];
      if (state?.offset === undefined || this.#closed) continue;
      if (outcome.error === KAFKA_ERROR.none) {
        state.startOffset = outcome.startOffset;
        state.endOffset = outcome.endOffset;
        state.seen = true;
        if (outcome.records.length > 0) await this.#hand(outcome, state);
      } else if (outcome.error === KAFKA_ERROR.offsetOutOfRange) {
        await this.#replace(outcome.partition, state);
      } else {
        well = false;
        this.#error = errorName(outcome.error);
        this.#components.cluster.invalidate();
      }
    }
    if (well) this.#error = undefined;
    this.#moved();
    return well;
  }

  async #hand(outcome: FetchOutcome, state: PartitionState): Promise<void> {
    const { partition } = outcome;
    const from = state.offset ?? 0;
    const { records, nextOffset, damaged } = readRecordSet(outcome.records, from, outcome.aborted);
    for (const batch of damaged) this.#options.damaged(partition, batch);
    for (let at = 0; at < records.length; at += SLICE) {
      if (at > 0) await new Promise((resolve) => setImmediate(resolve));
      if (this.#closed) return;
      const slice = records.slice(at, at + SLICE);
      // Where the leader has moved, the old and the new one may both answer: whoever is first counts.
      const fresh = slice.filter(({ offset }) => offset >= (state.offset ?? 0));
      const last = fresh.at(-1);
      if (last === undefined) continue;
      const next = at + SLICE >= records.length ? nextOffset : last.offset + 1;
      this.#options.take(partition, fresh, next);
      state.offset = next;
    }
    if ((state.offset ?? 0) < nextOffset) {
      this.#options.take(partition, [], nextOffset);
      state.offset = nextOffset;
    }
  }

  /** What followed is gone, by retention or because the topic was made anew: go on with what there is. */
  async #replace(partition: number, state: PartitionState): Promise<void> {
    const { offsets, logger } = this.#components;
    const first = (await offsets.earliest(this.topic, [partition])).get(partition);
    if (first === undefined) return;
    logger.warn(
      { topic: this.topic, partition, offset: state.offset, first },
      'records that were not read yet are gone from Kafka; going on with the first there is',
    );
    this.#options.take(partition, [], first);
    state.offset = first;
  }
}
