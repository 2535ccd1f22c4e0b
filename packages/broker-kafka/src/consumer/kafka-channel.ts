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
import type { ResolvedOptions } from '../client/options.ts';
import { channelPlan, channelTopic, deadLetterPlan } from '../client/topics.ts';
import type { Offsets } from './offsets.ts';
import { type Position, type PositionCodec, positionCodec } from './position.ts';
import { RecentSet } from './recent-set.ts';
import type { Interpreter } from './record-decoder.ts';
import { replay } from './replay.ts';
import { SharedQuestion } from './shared-question.ts';
import { TopicTail } from './topic-tail.ts';

export interface KafkaChannelComponents {
  readonly connections: Connections;
  readonly cluster: Cluster;
  readonly offsets: Offsets;
  readonly interpreter: Interpreter;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Tells the sender that a partition may begin. */
  readonly wake: () => void;
}

/** How long a new subscription waits for the tail to find its place. Later it begins by time. */
const PLACE_WITHIN_MS = 1_000;
/** How long it waits for the tail to pass what is older. Later that may come, too. */
const PASSED_WITHIN_MS = 1_000;

/** One channel in Kafka: its tail, its positions and its replays. */
export class KafkaChannel {
  readonly name: ChannelName;
  readonly topic: string;
  readonly #components: KafkaChannelComponents;
  readonly #options: ResolvedOptions;
  readonly #codec: PositionCodec;
  readonly #ends: SharedQuestion<ReadonlyMap<number, number>>;
  #tail: TopicTail | undefined;

  constructor(components: KafkaChannelComponents, name: ChannelName, options: ResolvedOptions) {
    this.#components = components;
    this.#options = options;
    this.name = name;
    this.topic = channelTopic(options, name);
    this.#codec = positionCodec(this.topic);
    this.#ends = new SharedQuestion(async () => {
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

  /** True when what is sent to the partition now will be seen by the tail, or there is no tail. */
  mayBegin(partition: number): boolean {
    return this.#tail?.isAnchored(partition) ?? true;
  }

  tail(handler: (batch: readonly BrokerRecord[]) => void): () => void {
    if (this.#tail !== undefined) throw new GaterError('internal', `channel ${this.name} has a tail already`);
    const { cluster, interpreter, logger, wake } = this.#components;
    cluster.track([deadLetterPlan(this.#options, this.name)]);
    const known = new RecentSet(this.#options.duplicateWindow);
    const tail: TopicTail = new TopicTail(this.#components, {
      topic: this.topic,
      from: 'latest',
      anchored: wake,
      damaged: (partition, batch) => interpreter.damaged(this.#place(partition), batch),
      take: (partition, records) => {
        if (records.length === 0) return;
        const positionAt = this.#codec.encoder(tail.position(), partition);
        const batch = interpreter.read({ ...this.#place(partition), positionAt }, records, known);
        if (batch.length === 0) return;
        try {
          handler(batch);
        } catch (error) {
          logger.error(
            { channel: this.name, cause: error },
            'what takes the records of a channel has failed',
          );
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
    if ((await this.#tail?.whenKnown(PLACE_WITHIN_MS)) === true) await this.#passEnds();
    return this.#codec.encode(this.#tail?.position() ?? (await this.#end()));
  }

  tailPosition(): string | undefined {
    return this.#tail?.known === true ? this.#codec.encode(this.#tail.position()) : undefined;
  }

  /** The position after a record of ours, everything else as the tail stands. */
  readonly positionAfter = (partition: number, offset: number): string | undefined =>
    this.#tail?.known === true
      ? this.#codec.encoder(this.#tail.position(), partition)(offset + 1)
      : undefined;

  caughtUp(after: string, until: string): boolean {
    const from = this.#codec.parse(after);
    return this.#codec.parse(until).offsets.every((end, partition) => {
      if (end === undefined) return true;
      const offset = from.offsets[partition] ?? (isUnknown(from, partition) ? undefined : 0);
      return offset !== undefined && offset >= end;
    });
  }

  async resolve(from: ReplayFrom): Promise<{ readonly position: string; readonly lost?: boolean }> {
    const position =
      typeof from === 'object' && 'position' in from ? this.#codec.parse(from.position) : undefined;
    const timeMs = typeof from === 'object' && 'time' in from ? parseTime(from.time) : undefined;
    const partitions = await this.#partitions();
    await this.#tailKnown();
    if (position !== undefined)
      return { position: this.#codec.encode(await this.#check(position, partitions)) };
    const starts = await this.#starts(partitions);
    const found =
      timeMs === undefined ? starts : await this.#components.offsets.atTime(this.topic, partitions, timeMs);
    const lost = partitions.some((partition) => {
      const offset = found.get(partition);
      // Without a leader a partition cannot be asked for its past now, and the others shall not wait for it.
      if (offset === undefined) return true;
      // Something lay before the first record that is left, and nothing tells how old it was.
      return timeMs !== undefined && offset > 0 && offset === starts.get(partition);
    });
    return {
      position: this.#codec.encode(vector(partitions, found, timeMs ?? 0)),
      ...(lost ? { lost } : {}),
    };
  }

  async *read(
    after: string,
    until: string,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<readonly BrokerRecord[]> {
    const from = this.#codec.parse(after);
    const to = this.#codec.parse(until);
    const start = await this.#located(from, to);
    const ranges = new Map<number, { from: number; until: number }>();
    to.offsets.forEach((end, partition) => {
      const begin = start.offsets[partition];
      if (end === undefined) return;
      if (begin === undefined) {
        throw new GaterError('unavailable', `partition ${partition} of ${this.topic} has no leader now`);
      }
      if (begin < end) ranges.set(partition, { from: begin, until: end });
    });
    const offsets = [...start.offsets];
    const known = new RecentSet(this.#options.duplicateWindow);
    yield* replay(this.#components, {
      topic: this.topic,
      ranges,
      patienceMs: this.#options.publishTimeoutMs,
      signal,
      interpret: (partition, records, nextOffset) => {
        const positionAt = this.#codec.encoder({ ...start, offsets }, partition);
        const batch = this.#components.interpreter.read(
          { ...this.#place(partition), positionAt },
          records,
          known,
        );
        offsets[partition] = nextOffset;
        return batch;
      },
      lost: async () => this.#lost(await this.#partitions()),
    });
  }

  close(): void {
    this.#tail?.close();
  }

  /** What another node or this one acknowledged before now lies before the ends that Kafka tells now. */
  async #passEnds(): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = this.#components.clock.setTimer(resolve, PASSED_WITHIN_MS);
    const passed = this.#ends.answer().then((ends) => this.#tail?.whenPassed(ends, PASSED_WITHIN_MS));
    await Promise.race([passed, late]);
    timer.cancel();
  }

  #place(partition: number): { channel: ChannelName; kafkaTopic: string; partition: number } {
    return { channel: this.name, kafkaTopic: this.topic, partition };
  }

  /** @throws `unavailable` when Kafka does not tell within the bound of a publish */
  async #partitions(): Promise<readonly number[]> {
    const { cluster, clock } = this.#components;
    if (cluster.partitions(this.topic) === undefined) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = clock.setTimer(resolve, this.#options.publishTimeoutMs);
      const detach = cluster.onChange(() => {
        if (cluster.partitions(this.topic) !== undefined) resolve();
      });
      await promise;
      timer.cancel();
      detach();
    }
    const count = cluster.partitions(this.topic);
    if (count !== undefined) return Array.from({ length: count }, (_, partition) => partition);
    const cause = cluster.state.message ?? 'it does not answer';
    throw new GaterError('unavailable', `Kafka did not say where ${this.topic} lies: ${cause}`);
  }

  /**
   * A replay goes up to where the tail stands, so that has to be somewhere.
   *
   * @throws `unavailable`
   */
  async #tailKnown(): Promise<void> {
    const { publishTimeoutMs } = this.#options;
    if (this.#tail === undefined || (await this.#tail.whenKnown(publishTimeoutMs))) return;
    throw new GaterError('unavailable', `Kafka gave no place in ${this.topic} within ${publishTimeoutMs} ms`);
  }

  /** The end of every partition, for who asks without a tail. */
  async #end(): Promise<Position> {
    const sinceMs = Math.floor(this.#components.clock.now());
    const partitions = await this.#partitions();
    return vector(partitions, await this.#components.offsets.latest(this.topic, partitions), sinceMs);
  }

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

  /** The position with every offset that can be known, when nothing of what follows it is gone. */
  async #check(position: Position, partitions: readonly number[]): Promise<Position> {
    if (position.offsets.length > partitions.length) throw await this.#lost(partitions);
    const starts = await this.#starts(partitions);
    const located = await this.#located(position, { offsets: partitions.map(() => 0) });
    const beyond: number[] = [];
    located.offsets.forEach((offset, partition) => {
      this.#tail?.want(partition, offset, located.sinceMs ?? 0);
      if (offset === undefined) return;
      // What the tail knows of an end may be a second old, and another node's position be newer.
      if (offset > (this.#tail?.bounds(partition)?.endOffset ?? -1)) beyond.push(partition);
    });
    const ends = beyond.length === 0 ? new Map() : await this.#components.offsets.latest(this.topic, beyond);
    const lost = located.offsets.some(
      (offset, partition) =>
        offset !== undefined &&
        (offset < (starts.get(partition) ?? 0) || offset > (ends.get(partition) ?? Number.POSITIVE_INFINITY)),
    );
    if (lost) throw await this.#lost(partitions);
    return located;
  }

  /** `from` over the partitions of `to`, with offsets for what it has by time, where Kafka tells them. */
  async #located(from: Position, to: Position): Promise<Position> {
    const count = Math.max(from.offsets.length, to.offsets.length);
    const offsets = Array.from({ length: count }, (_, partition) =>
      isUnknown(from, partition) ? undefined : (from.offsets[partition] ?? 0),
    );
    const unknown = offsets.flatMap((offset, partition) => (offset === undefined ? [partition] : []));
    if (unknown.length === 0) return { offsets };
    const sinceMs = from.sinceMs ?? 0;
    for (const [partition, offset] of await this.#components.offsets.atTime(this.topic, unknown, sinceMs)) {
      offsets[partition] = offset;
    }
    return offsets.includes(undefined) ? { offsets, sinceMs } : { offsets };
  }

  async #lost(partitions: readonly number[]): Promise<GaterError> {
    const oldest = vector(partitions, await this.#components.offsets.earliest(this.topic, partitions), 0);
    return invalidArgument(
      'position_lost',
      `what follows that position on ${this.name} is no longer kept; the oldest position that is stands in oldest`,
      { oldest: this.#codec.encode(oldest) },
    );
  }
}

/** A partition that the position says nothing of but the time; one beyond its end was added later. */
function isUnknown(position: Position, partition: number): boolean {
  return position.offsets[partition] === undefined && position.sinceMs !== undefined;
}

function vector(
  partitions: readonly number[],
  offsets: ReadonlyMap<number, number>,
  sinceMs: number,
): Position {
  const list = partitions.map((partition) => offsets.get(partition));
  return list.length > 0 && !list.includes(undefined) ? { offsets: list } : { offsets: list, sinceMs };
}

function parseTime(text: string): number {
  const timeMs = Date.parse(text);
  if (Number.isNaN(timeMs))
    throw invalidArgument('time', `${JSON.stringify(text)} is no time, expected RFC 3339`);
  return Math.max(0, timeMs);
}
