import { sleep } from '@esdb-gater/primitives';
import { calculateDelay, retryPolicy } from '@esdb-gater/retry';
import { type BrokerRecord, type Clock, GaterError } from '@esdb-gater/types';
import type { Cluster } from '../client/cluster.ts';
import type { Connections } from '../client/connections.ts';
import { type Address, type FetchOutcome, type FetchPartition, KAFKA_ERROR } from '../client/driver.ts';
import { type KafkaRecord, readRecordSet } from './record-set.ts';

export interface ReplayComponents {
  readonly connections: Connections;
  readonly cluster: Cluster;
  readonly clock: Clock;
}

export interface ReplayRange {
  readonly from: number;
  /** Exclusive. */
  readonly until: number;
}

export interface ReplayOptions {
  readonly topic: string;
  /** By partition. */
  readonly ranges: ReadonlyMap<number, ReplayRange>;
  /** How long the replay may make no progress before it is `unavailable`. */
  readonly stallTimeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Decodes records of one partition, in order. `nextOffset` is the partition's next offset. */
  readonly decode: (partition: number, records: readonly KafkaRecord[], nextOffset: number) => BrokerRecord[];
  /** Makes the error for records that Kafka has removed. */
  readonly lost: () => Promise<GaterError>;
}

const MAX_RESPONSE_BYTES = 2 * 1_048_576;
const MAX_PARTITION_BYTES = 524_288;
/** The records are in Kafka already, so a fetch waits only for a leader that is still catching up. */
const MAX_WAIT_MS = 100;
const REQUEST_TIMEOUT_MS = 3_000;
/** The number of records that are decoded before the reader and the event loop can run. */
const SLICE_RECORDS = 256;
const BACKOFF = retryPolicy({ baseDelayMs: 50, maxDelayMs: 500, maxAttempts: 1_000_000 });

/**
 * Yields the messages of the ranges in batches, each partition in order. Fetches only as fast as the caller reads. All
 * replays share one connection to each broker, which the tails do not use.
 *
 * @throws `unavailable`, the reason of `signal`, and the error that `lost` returns
 */
export async function* replay(
  components: ReplayComponents,
  options: ReplayOptions,
): AsyncGenerator<readonly BrokerRecord[]> {
  const { cluster, clock } = components;
  const { topic, ranges, stallTimeoutMs, signal } = options;
  /** The next offset of each partition that is not finished. */
  const offsets = new Map<number, number>();
  for (const [partition, { from, until }] of ranges) if (from < until) offsets.set(partition, from);
  let progressAt = clock.monotonic();
  let failures = 0;
  while (offsets.size > 0) {
    signal?.throwIfAborted();
    let progress = false;
    const wanted = Array.from(offsets, ([partition, offset]) => ({ topic, partition, offset }));
    for (const [address, partitions] of cluster.byLeader(topic, wanted)) {
      for (const outcome of await fetchOnce(components, address, partitions)) {
        const { partition } = outcome;
        if (outcome.error === KAFKA_ERROR.offsetOutOfRange) throw await options.lost();
        if (outcome.error !== KAFKA_ERROR.none) cluster.invalidate();
        const from = offsets.get(partition);
        const until = ranges.get(partition)?.until;
        if (outcome.error !== KAFKA_ERROR.none || from === undefined || until === undefined) continue;
        const isFirst = partition === partitions[0]?.partition;
        const { records, nextOffset } = readRange(outcome, { from, until }, isFirst);
        if (nextOffset === from) continue;
        progress = true;
        if (nextOffset >= until) offsets.delete(partition);
        else offsets.set(partition, nextOffset);
        yield* decodeSlices(options, partition, records, nextOffset);
      }
    }
    moveFirstToEnd(offsets);
    if (progress) {
      failures = 0;
      progressAt = clock.monotonic();
    } else if (clock.monotonic() - progressAt > stallTimeoutMs) {
      throw new GaterError(
        'unavailable',
        `Kafka returned no more records of ${topic} for ${stallTimeoutMs} ms`,
      );
    } else {
      await sleep(calculateDelay(Math.min(failures++, 10), BACKOFF), clock, signal);
    }
  }
}

/** Returns no outcome when the request failed. */
async function fetchOnce(
  { connections, cluster }: ReplayComponents,
  address: Address,
  partitions: readonly FetchPartition[],
): Promise<readonly FetchOutcome[]> {
  try {
    const use = { purpose: 'replay', address, timeoutMs: REQUEST_TIMEOUT_MS };
    return await connections.use(use, (connection) =>
      connection.fetch(partitions, {
        maxWaitMs: MAX_WAIT_MS,
        maxBytes: MAX_RESPONSE_BYTES,
        partitionBytes: MAX_PARTITION_BYTES,
      }),
    );
  } catch {
    cluster.invalidate();
    return [];
  }
}

/** Returns the records of a range, and the offset of its next fetch. */
function readRange(
  outcome: FetchOutcome,
  { from, until }: ReplayRange,
  isFirst: boolean,
): { readonly records: readonly KafkaRecord[]; readonly nextOffset: number } {
  const set = readRecordSet(outcome.records, from, outcome.aborted);
  // Kafka always returns the next batch of the first partition of a request: without one, the range is read.
  const finished = isFirst && set.nextOffset === from && outcome.endOffset >= until;
  return {
    records: set.records.filter(({ offset }) => offset < until),
    nextOffset: finished ? until : Math.min(set.nextOffset, until),
  };
}

function* decodeSlices(
  { decode, signal }: ReplayOptions,
  partition: number,
  records: readonly KafkaRecord[],
  nextOffset: number,
): Generator<readonly BrokerRecord[]> {
  for (let at = 0; at < records.length; at += SLICE_RECORDS) {
    const slice = records.slice(at, at + SLICE_RECORDS);
    const end = at + SLICE_RECORDS < records.length ? (slice.at(-1)?.offset ?? 0) + 1 : nextOffset;
    const messages = decode(partition, slice, end);
    if (messages.length > 0) yield messages;
    signal?.throwIfAborted();
  }
}

/** Lets another partition be the first one of the next request. */
function moveFirstToEnd(offsets: Map<number, number>): void {
  const [first] = offsets;
  if (first === undefined) return;
  offsets.delete(first[0]);
  offsets.set(first[0], first[1]);
}
