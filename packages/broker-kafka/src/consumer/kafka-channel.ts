import { finishesWithin, GenerationSet, SingleFlight, waitUntil } from '@esdb-gater/primitives';
import {
  type BrokerRecord,
  type ChannelName,
  type Clock,
  GaterError,
  invalidArgument,
  type Logger,
  type ReplayFrom,
} from '@esdb-gater/types';
import type { Cluster } from '../client/cluster.ts';
import type { Connections } from '../client/connections.ts';
import { channelPlan, channelTopic, deadLetterPlan, type ResolvedOptions } from '../client/options.ts';
import type { RecordSource } from './dead-letters.ts';
import type { Offsets } from './offsets.ts';
import { offsetIn, type Position, type PositionCodec, positionCodec, positionOf } from './position.ts';
import type { RecordDecoder } from './record-decoder.ts';
import { type ReplayRange, replay } from './replay.ts';
import { TopicTail } from './topic-tail.ts';

export interface KafkaChannelComponents {
  readonly connections: Connections;
  readonly cluster: Cluster;
  readonly offsets: Offsets;
  readonly decoder: RecordDecoder;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called when the tail of a partition got its offset, so that the sender may send to it. */
  readonly onOffsetKnown: () => void;
}

/** How long a new subscription waits for the tail to get an offset. After that it begins by time. */
const OFFSET_TIMEOUT_MS = 1_000;
/** How long it waits for the tail to pass older messages. After that it may receive some of them. */
const CATCH_UP_TIMEOUT_MS = 1_000;

/** Reads one channel from Kafka: its tail, its positions and its replays. */
export class KafkaChannel {
  readonly name: ChannelName;
  readonly topic: string;
  readonly #components: KafkaChannelComponents;
  readonly #options: ResolvedOptions;
  readonly #codec: PositionCodec;
  readonly #ends: SingleFlight<ReadonlyMap<number, number>>;
  #tail: TopicTail | undefined;

  constructor(components: KafkaChannelComponents, name: ChannelName, options: ResolvedOptions) {
    this.#components = components;
    this.#options = options;
    this.name = name;
    this.topic = channelTopic(options, name);
    this.#codec = positionCodec(this.topic);
    this.#ends = new SingleFlight(async () => {
      const partitions = components.cluster.partitions(this.topic) ?? 0;
      return await components.offsets.latest(this.topic, Array(partitions).keys());
    });
    components.cluster.track([channelPlan(options, name)]);
  }

  get lag(): number {
    return this.#tail?.lag ?? 0;
  }

  get error(): string | undefined {
    return this.#tail?.error;
  }

  /**
   * Returns true when the tail will read records that are sent to the partition from now on, or when there is no tail.
   */
  isReady(partition: number): boolean {
    return this.#tail?.hasOffset(partition) ?? true;
  }

  tail(handler: (batch: readonly BrokerRecord[]) => void): () => void {
    if (this.#tail !== undefined) throw new GaterError('internal', `channel ${this.name} has a tail already`);
    const { cluster, decoder, logger, onOffsetKnown } = this.#components;
    cluster.track([deadLetterPlan(this.#options, this.name)]);
    const known = new GenerationSet<string>(this.#options.duplicateWindow);
    const tail: TopicTail = new TopicTail(this.#components, {
      topic: this.topic,
      from: 'latest',
      onOffsetKnown,
      onDamagedBatch: (partition, batch) => decoder.addDamaged(this.#source(partition), batch),
      onRecords: (partition, records) => {
        if (records.length === 0) return;
        const positionAt = this.#codec.encoder(tail.position(), partition);
        const batch = decoder.decode(this.#source(partition), records, positionAt, known);
        if (batch.length === 0) return;
        try {
          handler(batch);
        } catch (error) {
          logger.error({ channel: this.name, cause: error }, 'the handler of a channel failed');
        }
      },
    });
    this.#tail = tail;
    return () => {
      if (this.#tail === tail) this.#tail = undefined;
      tail.close();
    };
  }

  async position(): Promise<string> {
    if ((await this.#tail?.waitForAnyOffset(OFFSET_TIMEOUT_MS)) === true) await this.#catchUp();
    return this.#codec.encode(this.#tail?.position() ?? (await this.#end()));
  }

  tailPosition(): string | undefined {
    return this.#tail?.hasAnyOffset === true ? this.#codec.encode(this.#tail.position()) : undefined;
  }

  /** Returns the position after a record that this node wrote, with all other partitions as the tail has them. */
  positionAfter(partition: number, offset: number): string | undefined {
    return this.#tail?.hasAnyOffset === true
      ? this.#codec.encoder(this.#tail.position(), partition)(offset + 1)
      : undefined;
  }

  caughtUp(after: string, until: string): boolean {
    const from = this.#codec.parse(after);
    return this.#codec.parse(until).offsets.every((end, partition) => {
      if (end === undefined) return true;
      const offset = offsetIn(from, partition);
      return offset !== undefined && offset >= end;
    });
  }

  async resolve(from: ReplayFrom): Promise<{ readonly position: string; readonly lost?: boolean }> {
    const position =
      typeof from === 'object' && 'position' in from ? this.#codec.parse(from.position) : undefined;
    const timeMs = typeof from === 'object' && 'time' in from ? parseTime(from.time) : undefined;
    const partitions = await this.#partitions();
    await this.#tailReady();
    if (position !== undefined)
      return { position: this.#codec.encode(await this.#check(position, partitions)) };
    const starts = await this.#starts(partitions);
    const found =
      timeMs === undefined ? starts : await this.#components.offsets.atTime(this.topic, partitions, timeMs);
    const lost = partitions.some((partition) => {
      const offset = found.get(partition);
      // A partition without a leader cannot be asked now, and the others do not wait for it.
      if (offset === undefined) return true;
      // Records before the first one were removed, and their times are unknown.
      return timeMs !== undefined && offset > 0 && offset === starts.get(partition);
    });
    return {
      position: this.#codec.encode(positionOf(partitions, found, timeMs ?? 0)),
      ...(lost ? { lost } : {}),
    };
  }

  async *read(
    after: string,
    until: string,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<readonly BrokerRecord[]> {
    const to = this.#codec.parse(until);
    const start = await this.#locate(this.#codec.parse(after), to);
    const offsets = [...start.offsets];
    const known = new GenerationSet<string>(this.#options.duplicateWindow);
    yield* replay(this.#components, {
      topic: this.topic,
      ranges: this.#ranges(start, to),
      stallTimeoutMs: this.#options.publishTimeoutMs,
      signal,
      decode: (partition, records, nextOffset) => {
        const positionAt = this.#codec.encoder({ ...start, offsets }, partition);
        const batch = this.#components.decoder.decode(this.#source(partition), records, positionAt, known);
        offsets[partition] = nextOffset;
        return batch;
      },
      lost: async () => this.#positionLost(await this.#partitions()),
    });
  }

  close(): void {
    this.#tail?.close();
  }

  /**
   * Waits until the tail has passed all records that any node has acknowledged: the end offsets that Kafka reports now.
   */
  async #catchUp(): Promise<void> {
    const passed = this.#ends.run().then((ends) => this.#tail?.waitForOffsets(ends, CATCH_UP_TIMEOUT_MS));
    await finishesWithin(passed, CATCH_UP_TIMEOUT_MS, this.#components.clock);
  }

  #source(partition: number): RecordSource {
    return { channel: this.name, kafkaTopic: this.topic, partition };
  }

  /** @throws `unavailable` when the partitions are not known within the publish timeout */
  async #partitions(): Promise<readonly number[]> {
    const { cluster, clock } = this.#components;
    await waitUntil(
      () => cluster.partitions(this.topic) !== undefined,
      (listener) => cluster.onChange(listener),
      { timeoutMs: this.#options.publishTimeoutMs, clock },
    );
    const count = cluster.partitions(this.topic);
    if (count !== undefined) return Array.from({ length: count }, (_, partition) => partition);
    const cause = cluster.state.message ?? 'Kafka has not responded';
    throw new GaterError('unavailable', `cannot find the partitions of ${this.topic}: ${cause}`);
  }

  /**
   * Waits until the tail has an offset, which is the end of a replay.
   *
   * @throws `unavailable`
   */
  async #tailReady(): Promise<void> {
    const { publishTimeoutMs } = this.#options;
    if (this.#tail === undefined || (await this.#tail.waitForAnyOffset(publishTimeoutMs))) return;
    throw new GaterError(
      'unavailable',
      `cannot find an offset of ${this.topic} within ${publishTimeoutMs} ms`,
    );
  }

  /** Returns the end of every partition, for a caller without a tail. */
  async #end(): Promise<Position> {
    const sinceMs = Math.floor(this.#components.clock.now());
    const partitions = await this.#partitions();
    return positionOf(partitions, await this.#components.offsets.latest(this.topic, partitions), sinceMs);
  }

  /** Returns the first offset of every partition, from the tail if it knows them all. */
  async #starts(partitions: readonly number[]): Promise<ReadonlyMap<number, number>> {
    const seen = new Map<number, number>();
    for (const partition of partitions) {
      const bounds = this.#tail?.bounds(partition);
      if (bounds !== undefined) seen.set(partition, bounds.startOffset);
    }
    return seen.size === partitions.length
      ? seen
      : await this.#components.offsets.earliest(this.topic, partitions);
  }

  /**
   * Returns the position with every offset that can be known.
   *
   * @throws `position_lost` when messages after it were removed
   */
  async #check(position: Position, partitions: readonly number[]): Promise<Position> {
    if (position.offsets.length > partitions.length) throw await this.#positionLost(partitions);
    const starts = await this.#starts(partitions);
    const located = await this.#locate(position, { offsets: partitions.map(() => 0) });
    const beyond: number[] = [];
    located.offsets.forEach((offset, partition) => {
      this.#tail?.beginNoLaterThan(partition, offset, located.sinceMs ?? 0);
      if (offset === undefined) return;
      // The tail's end may be a second old, and the position of another node newer.
      if (offset > (this.#tail?.bounds(partition)?.endOffset ?? -1)) beyond.push(partition);
    });
    const ends = beyond.length === 0 ? new Map() : await this.#components.offsets.latest(this.topic, beyond);
    const lost = located.offsets.some(
      (offset, partition) =>
        offset !== undefined &&
        (offset < (starts.get(partition) ?? 0) || offset > (ends.get(partition) ?? Number.POSITIVE_INFINITY)),
    );
    if (lost) throw await this.#positionLost(partitions);
    return located;
  }

  /** Returns `from` over the partitions of `to`, and asks Kafka for the offsets that `from` has only by time. */
  async #locate(from: Position, to: Position): Promise<Position> {
    const count = Math.max(from.offsets.length, to.offsets.length);
    const offsets = Array.from({ length: count }, (_, partition) => offsetIn(from, partition));
    const unknown = offsets.flatMap((offset, partition) => (offset === undefined ? [partition] : []));
    if (unknown.length === 0) return { offsets };
    const sinceMs = from.sinceMs ?? 0;
    for (const [partition, offset] of await this.#components.offsets.atTime(this.topic, unknown, sinceMs)) {
      offsets[partition] = offset;
    }
    return offsets.includes(undefined) ? { offsets, sinceMs } : { offsets };
  }

  /** @throws `unavailable` when a partition has no leader that could report its first offset */
  #ranges(start: Position, to: Position): ReadonlyMap<number, ReplayRange> {
    const ranges = new Map<number, ReplayRange>();
    to.offsets.forEach((until, partition) => {
      if (until === undefined) return;
      const from = start.offsets[partition];
      if (from === undefined) {
        throw new GaterError('unavailable', `partition ${partition} of ${this.topic} has no leader now`);
      }
      if (from < until) ranges.set(partition, { from, until });
    });
    return ranges;
  }

  async #positionLost(partitions: readonly number[]): Promise<GaterError> {
    const starts = await this.#components.offsets.earliest(this.topic, partitions);
    return invalidArgument(
      'position_lost',
      `messages of ${this.name} after this position have expired; see \`oldest\``,
      { oldest: this.#codec.encode(positionOf(partitions, starts, 0)) },
    );
  }
}

function parseTime(text: string): number {
  const timeMs = Date.parse(text);
  if (Number.isNaN(timeMs)) {
    throw invalidArgument(
      'time',
      `time must be an RFC 3339 time, such as 2026-01-31T12:00:00Z, got ${JSON.stringify(text)}`,
    );
  }
  return Math.max(0, timeMs);
}
