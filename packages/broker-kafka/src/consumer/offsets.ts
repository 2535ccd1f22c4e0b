import type { Clock } from '@esdb-gater/types';
import type { Cluster } from '../client/cluster.ts';
import type { Connections } from '../client/connections.ts';
import { type Address, EARLIEST, LATEST, type OffsetQuery } from '../client/driver.ts';
import { errorName, KAFKA_ERROR } from '../client/error-codes.ts';

export interface OffsetsComponents {
  readonly connections: Connections;
  readonly cluster: Cluster;
  readonly clock: Clock;
}

const REQUEST_TIMEOUT_MS = 3_000;

/** Asks the leaders where things lie. What a leader cannot say now is left out of the answer. */
export class Offsets {
  readonly #components: OffsetsComponents;

  constructor(components: OffsetsComponents) {
    this.#components = components;
  }

  earliest(topic: string, partitions: Iterable<number>): Promise<Map<number, number>> {
    return this.#list(topic, partitions, () => EARLIEST);
  }

  latest(topic: string, partitions: Iterable<number>): Promise<Map<number, number>> {
    return this.#list(topic, partitions, () => LATEST);
  }

  /** The first record at or after the time, or the end where there is none. */
  async atTime(
    topic: string,
    partitions: readonly number[],
    timestampMs: number,
  ): Promise<Map<number, number>> {
    // The end first: asked afterwards, it would pass records that came between the two questions.
    const ends = await this.latest(topic, partitions);
    const found = await this.#list(topic, ends.keys(), () => timestampMs);
    return new Map(
      [...found].map(([partition, offset]) => [partition, offset < 0 ? (ends.get(partition) ?? 0) : offset]),
    );
  }

  async #list(
    topic: string,
    partitions: Iterable<number>,
    timestampOf: (partition: number) => number,
  ): Promise<Map<number, number>> {
    const { cluster } = this.#components;
    const byLeader = new Map<Address, OffsetQuery[]>();
    for (const partition of partitions) {
      const leader = cluster.leader(topic, partition);
      if (leader === undefined) continue;
      const queries = byLeader.get(leader) ?? [];
      queries.push({ topic, partition, timestampMs: timestampOf(partition) });
      byLeader.set(leader, queries);
    }
    const found = new Map<number, number>();
    await Promise.all([...byLeader].map(([address, queries]) => this.#ask(address, queries, found)));
    return found;
  }

  async #ask(address: Address, queries: readonly OffsetQuery[], found: Map<number, number>): Promise<void> {
    const { connections, cluster } = this.#components;
    try {
      const use = { lane: 'offsets', address, timeoutMs: REQUEST_TIMEOUT_MS };
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
