import { sleep } from '@esdb-gater/primitives';
import type { Clock } from '@esdb-gater/types';
import type { Cluster } from '../client/cluster.ts';
import type { Connections } from '../client/connections.ts';
import {
  type Address,
  EARLIEST,
  KAFKA_ERROR,
  LATEST,
  type OffsetOutcome,
  type OffsetQuery,
} from '../client/driver.ts';

export interface OffsetsComponents {
  readonly connections: Connections;
  readonly cluster: Cluster;
  readonly clock: Clock;
}

const REQUEST_TIMEOUT_MS = 3_000;
/** The time for a broker to learn that it leads a partition, such as after the topic was created. */
const RETRY_DELAY_MS = 100;

/** Looks up offsets at the leaders of partitions. Omits partitions without an answer of a leader. */
export class Offsets {
  readonly #components: OffsetsComponents;

  constructor(components: OffsetsComponents) {
    this.#components = components;
  }

  /** Returns the offset of the first record that Kafka still keeps, for each partition. */
  earliest(topic: string, partitions: Iterable<number>): Promise<Map<number, number>> {
    return this.#list(topic, partitions, EARLIEST);
  }

  /** Returns the offset after the last committed record, for each partition. */
  latest(topic: string, partitions: Iterable<number>): Promise<Map<number, number>> {
    return this.#list(topic, partitions, LATEST);
  }

  /** Returns the offset of the first record at or after the time, or the end offset if there is no such record. */
  async atTime(
    topic: string,
    partitions: readonly number[],
    timestampMs: number,
  ): Promise<Map<number, number>> {
    // The end is requested first: requested second, it would be after records that arrived between the two requests.
    const ends = await this.latest(topic, partitions);
    const found = await this.#list(topic, ends.keys(), timestampMs);
    return new Map(
      [...found].map(([partition, offset]) => [partition, offset < 0 ? (ends.get(partition) ?? 0) : offset]),
    );
  }

  async #list(
    topic: string,
    partitions: Iterable<number>,
    timestampMs: number,
  ): Promise<Map<number, number>> {
    const queries = Array.from(partitions, (partition) => ({ topic, partition, timestampMs }));
    const found = new Map<number, number>();
    const notLed = await this.#ask(topic, queries, found);
    if (notLed.length > 0) {
      await sleep(RETRY_DELAY_MS, this.#components.clock, undefined);
      await this.#ask(topic, notLed, found);
    }
    return found;
  }

  /** Adds to `found`. Returns the queries for partitions that the requested broker does not lead. */
  async #ask(
    topic: string,
    queries: readonly OffsetQuery[],
    found: Map<number, number>,
  ): Promise<OffsetQuery[]> {
    const groups = this.#components.cluster.byLeader(topic, queries);
    const notLed = new Set<number>();
    await Promise.all(
      [...groups].map(async ([address, group]) => {
        for (const { partition, error, offset } of await this.#request(address, group)) {
          if (error === KAFKA_ERROR.none) found.set(partition, offset);
          else this.#components.cluster.invalidate();
          if (error === KAFKA_ERROR.notLeaderOrFollower) notLed.add(partition);
        }
      }),
    );
    return queries.filter(({ partition }) => notLed.has(partition));
  }

  /** Returns no outcome when the request failed. */
  async #request(address: Address, queries: readonly OffsetQuery[]): Promise<readonly OffsetOutcome[]> {
    const { connections, cluster } = this.#components;
    try {
      const use = { purpose: 'offsets', address, timeoutMs: REQUEST_TIMEOUT_MS };
      return await connections.use(use, (connection) => connection.listOffsets(queries));
    } catch {
      cluster.invalidate();
      return [];
    }
  }
}
