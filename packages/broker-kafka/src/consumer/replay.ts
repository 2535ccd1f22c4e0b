import { calculateDelay, retryPolicy } from '@esdb-gater/retry';
import { type BrokerRecord, type Clock, GaterError } from '@esdb-gater/types';
import type { Cluster } from '../client/cluster.ts';
import type { Connections } from '../client/connections.ts';
import type { Address, FetchOutcome, FetchPartition } from '../client/driver.ts';
import { KAFKA_ERROR } from '../client/error-codes.ts';
import type { KafkaRecord } from './record-set.ts';
import { readRecordSet } from './record-set.ts';

export interface ReplayComponents {
  readonly connections: Connections;
  readonly cluster: Cluster;
  readonly clock: Clock;
}

export interface ReplayOptions {
  readonly topic: string;
  /** Where each partition begins, and where it ends (exclusive). */
  readonly ranges: ReadonlyMap<number, { readonly from: number; readonly until: number }>;
  /** Without progress for so long it is `unavailable`. */
  readonly patienceMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Makes records of one partition into messages; called in order, `nextOffset` after it. */
  readonly interpret: (
    partition: number,
    records: readonly KafkaRecord[],
    nextOffset: number,
  ) => BrokerRecord[];
  /** Records that were to follow are gone. */
  readonly lost: () => Promise<GaterError>;
}

const ANSWER_BYTES = 2 * 1_048_576;
const PARTITION_BYTES = 524_288;
/** Kafka has what a replay asks for; a wait only bridges a leader that is still catching up. */
const MAX_WAIT_MS = 100;
const TIMEOUT_MS = 3_000;
/** Records made into messages in one go: others want a turn, and the reader may have enough. */
const SLICE = 256;
const BACKOFF = retryPolicy({ baseDelayMs: 50, maxDelayMs: 500, maxAttempts: 1_000_000 });

/**
 * The records of the ranges, in batches, each partition in order. Fetched only as fast as they are taken. All
 * replays share one connection to each broker, apart from the tails'.
 *
 * @throws `unavailable`, and what `lost` gives
 */
export async function* replay(
  components: ReplayComponents,
  options: ReplayOptions,
): AsyncGenerator<readonly BrokerRecord[]> {
  const { cluster, clock } = components;
  const places = new Map<number, number>();
  for (const [partition, { from, until }] of options.ranges) if (from < until) places.set(partition, from);
  let progressAt = clock.monotonic();
  let failures = 0;
  while (places.size > 0) {
    options.signal?.throwIfAborted();
    let progress = false;
    for (const [address, partitions] of byLeader(cluster, options.topic, places)) {
      const outcomes = await ask(components, address, partitions);
      const alone = partitions[0]?.partition;
      for (const outcome of outcomes) {
        if (outcome.error === KAFKA_ERROR.offsetOutOfRange) throw await options.lost();
        if (outcome.error !== KAFKA_ERROR.none) cluster.invalidate();
        const from = places.get(outcome.partition);
        const until = options.ranges.get(outcome.partition)?.until;
        if (outcome.error !== KAFKA_ERROR.none || from === undefined || until === undefined) continue;
        const set = readRecordSet(outcome.records, from, outcome.aborted);
        // The first partition asked for always brings its next batch, so nothing means that nothing is left.
        const dry = outcome.partition === alone && set.nextOffset === from && outcome.endOffset >= until;
        const next = dry ? until : Math.min(set.nextOffset, until);
        if (next === from) continue;
        progress = true;
        if (next >= until) places.delete(outcome.partition);
        else places.set(outcome.partition, next);
        const records = set.records.filter(({ offset }) => offset < until);
        for (let at = 0; at < records.length; at += SLICE) {
          const slice = records.slice(at, at + SLICE);
          const end = at + SLICE < records.length ? (slice.at(-1)?.offset ?? 0) + 1 : next;
          const messages = options.interpret(outcome.partition, slice, end);
          if (messages.length > 0) yield messages;
          options.signal?.throwIfAborted();
        }
      }
    }
    rotate(places);
    if (progress) {
      failures = 0;
      progressAt = clock.monotonic();
    } else {
      if (clock.monotonic() - progressAt > options.patienceMs) {
        throw new GaterError(
          'unavailable',
          `Kafka gave nothing more of ${options.topic} for ${options.patienceMs} ms`,
        );
      }
      await pause(clock, calculateDelay(Math.min(failures++, 10), BACKOFF));
    }
  }
}

function byLeader(
  cluster: Cluster,
  topic: string,
  places: ReadonlyMap<number, number>,
): Map<Address, FetchPartition[]> {
  const groups = new Map<Address, FetchPartition[]>();
  for (const [partition, offset] of places) {
    const leader = cluster.leader(topic, partition);
    if (leader === undefined) continue;
    const group = groups.get(leader) ?? [];
    group.push({ topic, partition, offset });
    groups.set(leader, group);
  }
  return groups;
}

async function ask(
  { connections, cluster }: ReplayComponents,
  address: Address,
  partitions: readonly FetchPartition[],
): Promise<readonly FetchOutcome[]> {
  try {
    return await connections.use({ lane: 'replay', address, timeoutMs: TIMEOUT_MS }, (connection) =>
      connection.fetch(partitions, {
        maxWaitMs: MAX_WAIT_MS,
        maxBytes: ANSWER_BYTES,
        partitionBytes: PARTITION_BYTES,
      }),
    );
  } catch {
    cluster.invalidate();
    return [];
  }
}

/** Another partition comes first with the next question. */
function rotate(places: Map<number, number>): void {
  const [first] = places;
  if (first === undefined) return;
  places.delete(first[0]);
  places.set(first[0], first[1]);
}

function pause(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => clock.setTimer(resolve, delayMs));
}
