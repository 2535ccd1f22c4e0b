import type { Cluster } from '../client/cluster.ts';
import type { Connections } from '../client/connections.ts';
import {
  type Address,
  EARLIEST,
  errorName,
  KAFKA_ERROR,
  LATEST,
  type OffsetQuery,
} from '../client/driver.ts';

export interface OffsetsComponents {
  readonly connections: Connections;
  readonly cluster: Cluster;
}

const REQUEST_TIMEOUT_MS = 3_000;

/** Looks up offsets at the leaders of partitions. Leaves out what no leader can tell now. */
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

  /** Returns the offset of the first record at or after the time, or the end where there is none. */
  async atTime(
    topic: string,
    partitions: readonly number[],
    timestampMs: number,
  ): Promise<Map<number, number>> {
    // The end is asked for first: afterwards it would lie behind records that came between the two requests.
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
    const groups = this.#components.cluster.byLeader(topic, queries);
    const found = new Map<number, number>();
    await Promise.all([...groups].map(([address, group]) => this.#request(address, group, found)));
    return found;
  }

  async #request(
    address: Address,
    queries: readonly OffsetQuery[],
    found: Map<number, number>,
  ): Promise<void> {
    const { connections, cluster } = this.#components;
    try {
      const use = { purpose: 'offsets', address, timeoutMs: REQUEST_TIMEOUT_MS };
      const outcomes = await connections.use(use, (connection) => connection.listOffsets(queries));
      for (const { partition, error, offset } of outcomes) {
        if (error === KAFKA_ERROR.none) found.set(partition, offset);
        else throw new Error(errorName(error));
      }
    } catch {
      cluster.invalidate();
    }
  }
}
