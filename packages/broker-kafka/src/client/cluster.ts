import { calculateDelay, retryPolicy } from '@esdb-gater/retry';
import type { Clock, Logger, Timer } from '@esdb-gater/types';
import type { Connections } from './connections.ts';
import type { Address, ClusterMetadata, PartitionMetadata } from './driver.ts';
import { errorName, KAFKA_ERROR } from './error-codes.ts';
import type { TopicPlan } from './topics.ts';

export interface ClusterComponents {
  readonly connections: Connections;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface ClusterSettings {
  readonly bootstrap: readonly Address[];
  readonly replicationFactor: number | undefined;
}

export interface ClusterState {
  /** `unknown` until Kafka has answered for the first time. */
  readonly status: 'unknown' | 'up' | 'down';
  /** Why it is not up. */
  readonly message?: string;
}

/** Answers to requests for metadata. A broker that hangs leaves time for another within a publish. */
const REQUEST_TIMEOUT_MS = 2_500;
/** A new partition or broker is noticed after this at the latest. */
const EVERY_MS = 30_000;
const BACKOFF = retryPolicy({ baseDelayMs: 100, maxDelayMs: 1_000, maxAttempts: 1_000_000 });

/**
 * Who leads which partition. Topics that somebody is interested in are made when they are not there. Asked again
 * when a user of it meets an error, and until every partition of interest has a leader.
 */
export class Cluster {
  readonly #connections: Connections;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #settings: ClusterSettings;
  readonly #plans = new Map<string, TopicPlan>();
  readonly #listeners = new Set<() => void>();
  #brokers: ReadonlyMap<number, Address> = new Map();
  #topics: ReadonlyMap<string, readonly PartitionMetadata[]> = new Map();
  #state: ClusterState = { status: 'unknown' };
  #failures = 0;
  #turn = 0;
  #timer: Timer | undefined;
  #dueAt = Number.POSITIVE_INFINITY;
  #running = false;
  #again = false;
  #closed = false;

  constructor(components: ClusterComponents, settings: ClusterSettings) {
    this.#connections = components.connections;
    this.#clock = components.clock;
    this.#logger = components.logger;
    this.#settings = settings;
  }

  get state(): ClusterState {
    return this.#state;
  }

  /** Keeps an eye on a topic from now on, and makes it when it is not there. */
  track(plans: readonly TopicPlan[]): void {
    let added = false;
    for (const plan of plans) {
      if (this.#plans.has(plan.topic)) continue;
      this.#plans.set(plan.topic, plan);
      added = true;
    }
    if (added) this.#schedule(0);
  }

  /** How many partitions the topic has; undefined while that is unknown. */
  partitions(topic: string): number | undefined {
    return this.#topics.get(topic)?.length;
  }

  /** Who leads the partition; undefined while nobody does or it is unknown. */
  leader(topic: string, partition: number): Address | undefined {
    const leader = this.#topics.get(topic)?.[partition]?.leader;
    return leader === undefined ? undefined : this.#brokers.get(leader);
  }

  /** Partitions of topics of interest that nobody leads. */
  leaderless(): number {
    let count = 0;
    for (const [topic, partitions] of this.#topics) {
      for (const { partition } of partitions) if (this.leader(topic, partition) === undefined) count += 1;
    }
    return count;
  }

  /** Topics of interest that are not there, or not known to be. */
  missing(): readonly string[] {
    return [...this.#plans.keys()].filter((topic) => !this.#topics.has(topic));
  }

  /** Something that was done by what is known here has failed. Asks anew, soon and once for all who call. */
  invalidate(): void {
    this.#schedule(calculateDelay(0, BACKOFF) / 2);
  }

  /** Calls `listener` after every answer. Returns what detaches it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#listeners.clear();
  }

  #schedule(delayMs: number): void {
    if (this.#closed || this.#plans.size === 0) return;
    if (this.#running) {
      this.#again ||= delayMs < EVERY_MS;
      return;
    }
    const dueAt = this.#clock.monotonic() + delayMs;
    if (dueAt >= this.#dueAt) return;
    this.#timer?.cancel();
    this.#dueAt = dueAt;
    this.#timer = this.#clock.setTimer(() => void this.#refresh(), delayMs, { unref: true });
  }

  async #refresh(): Promise<void> {
    this.#running = true;
    this.#dueAt = Number.POSITIVE_INFINITY;
    this.#again = false;
    let complete = false;
    try {
      complete = await this.#ask();
    } catch (error) {
      this.#lost(error instanceof Error ? error.message : String(error));
    }
    this.#running = false;
    if (this.#closed) return;
    for (const listener of this.#listeners) listener();
    this.#failures = complete ? 0 : this.#failures + 1;
    const delayMs = complete ? EVERY_MS : calculateDelay(Math.min(this.#failures - 1, 10), BACKOFF);
    this.#schedule(this.#again ? Math.min(delayMs, BACKOFF.baseDelayMs) : delayMs);
  }

  /** True when every topic of interest is there and led. */
  async #ask(): Promise<boolean> {
    const wanted = [...this.#plans.keys()];
    const [address, metadata] = await this.#anyBroker(wanted);
    const missing = metadata.topics.filter(({ error }) => error === KAFKA_ERROR.unknownTopicOrPartition);
    this.#take(metadata);
    if (missing.length > 0)
      await this.#create(
        address,
        metadata,
        missing.map(({ topic }) => topic),
      );
    return this.missing().length === 0 && this.leaderless() === 0;
  }

  /** Known brokers first, then the configured ones; each time beginning with another. */
  async #anyBroker(topics: readonly string[]): Promise<readonly [Address, ClusterMetadata]> {
    const candidates = new Map<string, Address>();
    for (const address of [...this.#brokers.values(), ...this.#settings.bootstrap]) {
      candidates.set(`${address.host}:${address.port}`, address);
    }
    const addresses = [...candidates.values()];
    const errors: string[] = [];
    for (let i = 0; i < addresses.length; i++) {
      const address = addresses[(this.#turn + i) % addresses.length];
      if (address === undefined) continue;
      try {
        const use = { lane: 'control', address, timeoutMs: REQUEST_TIMEOUT_MS };
        const metadata = await this.#connections.use(use, (connection) => connection.metadata(topics));
        return [address, metadata];
      } catch (error) {
        this.#turn += 1;
        errors.push(error instanceof Error ? error.message : String(error));
      }
    }
    throw new Error(errors.join('; '));
  }

  #take(metadata: ClusterMetadata): void {
    this.#brokers = new Map(metadata.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]));
    const topics = new Map<string, readonly PartitionMetadata[]>();
    for (const { topic, partitions } of metadata.topics) {
      const sorted = [...partitions].sort((a, b) => a.partition - b.partition);
      if (sorted.length > 0) topics.set(topic, sorted);
    }
    this.#topics = topics;
    if (this.#state.status !== 'up')
      this.#logger.info({ brokers: metadata.brokers.length }, 'Kafka is there');
    this.#state = { status: 'up' };
  }

  #lost(message: string): void {
    if (this.#closed) return;
    if (this.#state.status !== 'down') this.#logger.warn({ cause: message }, 'Kafka is not to be reached');
    this.#state = { status: 'down', message };
  }

  async #create(address: Address, metadata: ClusterMetadata, topics: readonly string[]): Promise<void> {
    const replicationFactor = this.#settings.replicationFactor ?? Math.min(3, metadata.brokers.length);
    const specs = topics.flatMap((topic) => {
      const plan = this.#plans.get(topic);
      if (plan === undefined) return [];
      // What was acknowledged lies on two brokers at least, where there are three.
      const insync = { 'min.insync.replicas': replicationFactor > 2 ? '2' : '1' };
      return [{ ...plan, replicationFactor, settings: { ...insync, ...plan.settings } }];
    });
    const use = { lane: 'control', address, timeoutMs: 4 * REQUEST_TIMEOUT_MS };
    const outcomes = await this.#connections.use(use, (connection) =>
      connection.createTopics(specs, 2 * REQUEST_TIMEOUT_MS),
    );
    for (const { topic, error, message } of outcomes) {
      if (error === KAFKA_ERROR.none) this.#logger.info({ topic }, 'a Kafka topic was made');
      else if (error !== KAFKA_ERROR.topicAlreadyExists) {
        this.#logger.warn({ topic, cause: message ?? errorName(error) }, 'a Kafka topic could not be made');
      }
    }
  }
}
