import { calculateDelay, retryPolicy } from '@esdb-gater/retry';
import type { Clock, Logger, Timer } from '@esdb-gater/types';
import { addressName, type Connections } from './connections.ts';
import {
  type Address,
  type ClusterMetadata,
  errorName,
  KAFKA_ERROR,
  type PartitionMetadata,
} from './driver.ts';
import type { TopicPlan } from './options.ts';

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
  /** `unknown` until Kafka has responded for the first time. */
  readonly status: 'unknown' | 'up' | 'down';
  /** Why it is not up. */
  readonly message?: string;
}

/** For a metadata request. A broker that hangs leaves time to ask another one within a publish. */
const REQUEST_TIMEOUT_MS = 2_500;
/** A new partition or broker is noticed after this at the latest. */
const REFRESH_MS = 30_000;
const BACKOFF = retryPolicy({ baseDelayMs: 100, maxDelayMs: 1_000, maxAttempts: 1_000_000 });

/**
 * Knows which broker leads which partition of the tracked topics, and creates the topics that do not exist. Refreshes
 * when a caller reports an error, and until every tracked partition has a leader.
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
  #denied: readonly string[] = [];
  #state: ClusterState = { status: 'unknown' };
  #failures = 0;
  /** Which candidate is asked first; moves on when one fails. */
  #turn = 0;
  #timer: Timer | undefined;
  #dueAt = Number.POSITIVE_INFINITY;
  #refreshing = false;
  /** Somebody asked for a refresh during a refresh. */
  #refreshAgain = false;
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

  /** Tracks topics from now on, and creates those that do not exist. */
  track(plans: readonly TopicPlan[]): void {
    let added = false;
    for (const plan of plans) {
      if (this.#plans.has(plan.topic)) continue;
      this.#plans.set(plan.topic, plan);
      added = true;
    }
    if (added) this.#schedule(0);
  }

  /** Returns how many partitions a topic has, or undefined while that is unknown. */
  partitions(topic: string): number | undefined {
    return this.#topics.get(topic)?.length;
  }

  /** Returns the leader of a partition, or undefined while it has none or it is unknown. */
  leader(topic: string, partition: number): Address | undefined {
    const leader = this.#topics.get(topic)?.[partition]?.leader;
    return leader === undefined ? undefined : this.#brokers.get(leader);
  }

  /** Groups entries by the leader of their partition. Leaves out the entries of partitions without a leader. */
  byLeader<Entry extends { readonly partition: number }>(
    topic: string,
    entries: Iterable<Entry>,
  ): Map<Address, Entry[]> {
    const groups = new Map<Address, Entry[]>();
    for (const entry of entries) {
      const leader = this.leader(topic, entry.partition);
      if (leader === undefined) continue;
      const group = groups.get(leader);
      if (group === undefined) groups.set(leader, [entry]);
      else group.push(entry);
    }
    return groups;
  }

  /** Counts the tracked partitions without a leader. */
  leaderless(): number {
    let count = 0;
    for (const [topic, partitions] of this.#topics) {
      for (const { partition } of partitions) if (this.leader(topic, partition) === undefined) count += 1;
    }
    return count;
  }

  /** Returns the tracked topics that Kafka's access rules keep from this client. */
  denied(): readonly string[] {
    return this.#denied;
  }

  /** Returns the tracked topics that do not exist, or are not known to exist. */
  missing(): readonly string[] {
    return [...this.#plans.keys()].filter((topic) => !this.#topics.has(topic));
  }

  /** Reports that a request failed which relied on this metadata. Refreshes soon, once for all callers. */
  invalidate(): void {
    this.#schedule(calculateDelay(0, BACKOFF) / 2);
  }

  /** Calls `listener` after every refresh, failed or not. Returns a function that removes it. */
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
    if (this.#refreshing) {
      this.#refreshAgain ||= delayMs < REFRESH_MS;
      return;
    }
    const dueAt = this.#clock.monotonic() + delayMs;
    if (dueAt >= this.#dueAt) return;
    this.#timer?.cancel();
    this.#dueAt = dueAt;
    this.#timer = this.#clock.setTimer(() => void this.#refresh(), delayMs, { unref: true });
  }

  async #refresh(): Promise<void> {
    this.#refreshing = true;
    this.#dueAt = Number.POSITIVE_INFINITY;
    this.#refreshAgain = false;
    let complete = false;
    try {
      complete = await this.#update();
    } catch (error) {
      this.#setDown(error instanceof Error ? error.message : String(error));
    }
    this.#refreshing = false;
    if (this.#closed) return;
    for (const listener of this.#listeners) listener();
    this.#failures = complete ? 0 : this.#failures + 1;
    const delayMs = complete ? REFRESH_MS : calculateDelay(Math.min(this.#failures - 1, 10), BACKOFF);
    this.#schedule(this.#refreshAgain ? Math.min(delayMs, BACKOFF.baseDelayMs) : delayMs);
  }

  /** Requests the metadata and creates the missing topics. Returns true when every tracked partition has a leader. */
  async #update(): Promise<boolean> {
    const [address, metadata] = await this.#request([...this.#plans.keys()]);
    this.#setMetadata(metadata);
    const missing = metadata.topics.filter(({ error }) => error === KAFKA_ERROR.unknownTopicOrPartition);
    if (missing.length > 0) {
      const topics = missing.map(({ topic }) => topic);
      await this.#create(address, topics, metadata.brokers.length);
    }
    return this.missing().length === 0 && this.leaderless() === 0;
  }

  /** Asks the known brokers, then the configured ones, until one responds; starts with another after a failure. */
  async #request(topics: readonly string[]): Promise<readonly [Address, ClusterMetadata]> {
    const candidates = new Map<string, Address>();
    for (const address of [...this.#brokers.values(), ...this.#settings.bootstrap]) {
      candidates.set(addressName(address), address);
    }
    const addresses = [...candidates.values()];
    const errors: string[] = [];
    for (let i = 0; i < addresses.length; i++) {
      const address = addresses[(this.#turn + i) % addresses.length];
      if (address === undefined) continue;
      try {
        const use = { purpose: 'control', address, timeoutMs: REQUEST_TIMEOUT_MS };
        const metadata = await this.#connections.use(use, (connection) => connection.metadata(topics));
        return [address, metadata];
      } catch (error) {
        this.#turn += 1;
        errors.push(error instanceof Error ? error.message : String(error));
      }
    }
    throw new Error(errors.join('; '));
  }

  #setMetadata(metadata: ClusterMetadata): void {
    this.#brokers = new Map(metadata.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]));
    const topics = new Map<string, readonly PartitionMetadata[]>();
    for (const { topic, partitions } of metadata.topics) {
      const sorted = [...partitions].sort((a, b) => a.partition - b.partition);
      if (sorted.length > 0) topics.set(topic, sorted);
    }
    this.#topics = topics;
    this.#denied = metadata.topics
      .filter(({ error }) => error === KAFKA_ERROR.topicAuthorizationFailed)
      .map(({ topic }) => topic);
    if (this.#state.status !== 'up')
      this.#logger.info({ brokers: metadata.brokers.length }, 'connected to Kafka');
    this.#state = { status: 'up' };
  }

  #setDown(message: string): void {
    if (this.#closed) return;
    if (this.#state.status !== 'down') this.#logger.warn({ cause: message }, 'cannot reach Kafka');
    this.#state = { status: 'down', message };
  }

  async #create(address: Address, topics: readonly string[], brokers: number): Promise<void> {
    const replicationFactor = this.#settings.replicationFactor ?? Math.min(3, brokers);
    const specs = topics.flatMap((topic) => {
      const plan = this.#plans.get(topic);
      if (plan === undefined) return [];
      // With three brokers, an acknowledged record is stored on at least two of them.
      const insync = { 'min.insync.replicas': replicationFactor > 2 ? '2' : '1' };
      return [{ ...plan, replicationFactor, settings: { ...insync, ...plan.settings } }];
    });
    const use = { purpose: 'control', address, timeoutMs: 4 * REQUEST_TIMEOUT_MS };
    const outcomes = await this.#connections.use(use, (connection) =>
      connection.createTopics(specs, 2 * REQUEST_TIMEOUT_MS),
    );
    for (const { topic, error, message } of outcomes) {
      if (error === KAFKA_ERROR.none) this.#logger.info({ topic }, 'created a Kafka topic');
      else if (error !== KAFKA_ERROR.topicAlreadyExists) {
        this.#logger.warn({ topic, cause: message ?? errorName(error) }, 'cannot create a Kafka topic');
      }
    }
  }
}
