import { WatchedValue } from '@esdb-gater/primitives';
import {
  type Clock,
  type DiscoveredNode,
  type Discovery,
  isName,
  type JsonValue,
  type Logger,
  silentLogger,
  systemClock,
  type Timer,
} from '@esdb-gater/types';
import type { KafkaLog, KafkaLogRecord, LogOpener } from './compacted-log.ts';

export interface KafkaDiscoveryComponents {
  readonly broker: LogOpener;
  /** @default the platform's */
  readonly clock?: Clock;
  /** @default silent */
  readonly logger?: Logger;
}

export interface KafkaDiscoveryOptions {
  /** This node, as the others find it. */
  readonly node: Required<DiscoveredNode>;
  /** The same on all nodes of a cluster. @default 'esdb_gater_nodes' */
  readonly topic?: string;
  /** How often this node writes its record; one that has not for three times as long is dropped. @default 60 000 */
  readonly refreshMs?: number;
}

/**
 * Finds nodes by a compacted Kafka topic: the key of a record is the node id, the value `{ url }`. A node writes its
 * record when it starts and then every `refreshMs`, and deletes it when it closes. While Kafka is away, what was found
 * stays.
 */
export function createKafkaDiscovery(
  components: KafkaDiscoveryComponents,
  options: KafkaDiscoveryOptions,
): Discovery {
  const { broker, clock = systemClock, logger = silentLogger } = components;
  return new TopicDiscovery(
    { broker, clock, logger },
    { topic: 'esdb_gater_nodes', refreshMs: 60_000, ...options },
  );
}

/** Intervals without a record, after which a node is dropped. */
const MISSED_REFRESHES = 3;

/** A record that is older is deleted by whoever reads it, as its node will not do so. */
const ABANDONED_MS = 86_400_000;

/** Most records that are deleted for others, for each node that starts. */
const MAX_DELETIONS = 100;

/** Most nodes that are kept. */
const MAX_NODES = 4_096;

/** After a failed write. */
const RETRY_MS = 5_000;

const MAX_URL_UNITS = 512;

interface Found {
  readonly url: string;
  /** By the broker's clock. */
  readonly writtenMs: number;
}

class TopicDiscovery implements Discovery {
  readonly #components: Required<KafkaDiscoveryComponents>;
  readonly #options: Required<KafkaDiscoveryOptions>;
  readonly #log: KafkaLog;
  readonly #found = new Map<string, Found>();
  readonly #nodes = new WatchedValue<readonly DiscoveredNode[]>([]);
  #timer: Timer | undefined;
  /** The broker's clock less the monotonic one, by the newest record. Its age counts from when it was read. */
  #brokerAheadMs = Number.NEGATIVE_INFINITY;
  #deletions = 0;
  #closed = false;

  constructor(components: Required<KafkaDiscoveryComponents>, options: Required<KafkaDiscoveryOptions>) {
    this.#components = components;
    this.#options = options;
    this.#log = components.broker.openLog({ topic: options.topic, onRecord: (record) => this.#take(record) });
    void this.#refresh();
  }

  watch({ signal }: { readonly signal: AbortSignal }): AsyncIterable<readonly DiscoveredNode[]> {
    return this.#nodes.watch(signal);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer?.cancel();
    this.#nodes.close();
    // Without Kafka the record stays, and is dropped by its age.
    await this.#log.append(this.#options.node.nodeId).catch(() => undefined);
    this.#log.close();
  }

  async #refresh(): Promise<void> {
    const { clock, logger } = this.#components;
    const { node, refreshMs } = this.#options;
    let delayMs = refreshMs;
    try {
      await this.#log.append(node.nodeId, { url: node.url });
      // Which nodes are silent is known once the newest record was read.
      await this.#log.ready();
    } catch (error) {
      delayMs = Math.min(RETRY_MS, refreshMs);
      if (!this.#closed) logger.debug({ cause: error }, 'cannot announce this node in Kafka');
    }
    if (this.#closed) return;
    this.#dropSilent();
    this.#timer = clock.setTimer(() => void this.#refresh(), delayMs, { unref: true });
  }

  #take({ key, value, timeMs }: KafkaLogRecord): void {
    const { clock } = this.#components;
    this.#brokerAheadMs = Math.max(this.#brokerAheadMs, timeMs - clock.monotonic());
    if (this.#closed || key === this.#options.node.nodeId) return;
    const url = urlOf(value);
    const before = this.#found.get(key);
    if (url === undefined || !isName(key)) {
      if (this.#found.delete(key)) this.#tell();
    } else if (before !== undefined || this.#found.size < MAX_NODES) {
      this.#found.set(key, { url, writtenMs: timeMs });
      if (before?.url !== url) this.#tell();
    }
  }

  /** Drops nodes that no longer write. The time is the broker's, so that the clocks of nodes do not matter. */
  #dropSilent(): void {
    const brokerMs = this.#components.clock.monotonic() + this.#brokerAheadMs;
    let dropped = false;
    for (const [nodeId, { writtenMs }] of this.#found) {
      const ageMs = brokerMs - writtenMs;
      if (ageMs <= MISSED_REFRESHES * this.#options.refreshMs) continue;
      this.#found.delete(nodeId);
      dropped = true;
      if (ageMs > ABANDONED_MS && this.#deletions++ < MAX_DELETIONS) {
        void this.#log.append(nodeId).catch(() => undefined);
      }
    }
    if (dropped) this.#tell();
  }

  #tell(): void {
    const byUrl = new Map([...this.#found].map(([nodeId, { url }]) => [url, { url, nodeId }]));
    this.#nodes.value = Object.freeze([...byUrl.values()]);
  }
}

function urlOf(value: JsonValue | undefined): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { url } = value as { readonly url?: JsonValue };
  const isUrl = typeof url === 'string' && url.length <= MAX_URL_UNITS && /^wss?:\/\/[^\s]+$/.test(url);
  return isUrl ? url : undefined;
}
