import { type Clock, invalidArgument, type Logger, silentLogger, systemClock } from '@esdb-gater/types';
import type { KafkaBroker } from '../kafka-broker.ts';
import type { KafkaLog } from './compacted-log.ts';
import { type KafkaLease, LogLease } from './lease.ts';

export interface KafkaLeasesComponents {
  readonly broker: Pick<KafkaBroker, 'openLog'>;
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** @default Math.random */
  readonly random?: () => number;
}

export interface KafkaLeasesOptions {
  /** Of this node; no two that run may have the same. */
  readonly nodeId: string;
  /** How long a lease outlives a node that dies. 1 000 to 600 000. @default 5 000 */
  readonly ttlMs?: number;
  /** The same on all nodes. @default 'esdb_gater_leases' */
  readonly topic?: string;
}

/** Leases that nodes agree on through one small Kafka topic. */
export interface KafkaLeases {
  /** Asks for a lease by its name until it is released, and keeps asking when it is lost. */
  acquire(name: string): KafkaLease;
  /** Gives up all leases. */
  close(): Promise<void>;
}

/** Entries older than this tell nothing about who holds what now. */
const RETENTION_MS = 86_400_000;

/**
 * Opens the leases.
 *
 * @throws `invalid_argument` with reason `lease`
 */
export function createKafkaLeases(
  components: KafkaLeasesComponents,
  options: KafkaLeasesOptions,
): KafkaLeases {
  return new LogLeases(components, options);
}

class LogLeases implements KafkaLeases {
  readonly #components: Required<Omit<KafkaLeasesComponents, 'broker'>>;
  readonly #nodeId: string;
  readonly #ttlMs: number;
  readonly #leases = new Map<string, LogLease>();
  readonly #log: KafkaLog;
  readonly #closing = new AbortController();
  #ready = false;

  constructor(components: KafkaLeasesComponents, options: KafkaLeasesOptions) {
    const { broker, clock = systemClock, logger = silentLogger, random = Math.random } = components;
    const { nodeId, ttlMs = 5_000, topic = 'esdb_gater_leases' } = options;
    if (nodeId === '') throw invalidArgument('lease', 'nodeId is empty, expected the name of this node');
    if (!Number.isSafeInteger(ttlMs) || ttlMs < 1_000 || ttlMs > 600_000) {
      throw invalidArgument('lease', `ttlMs is ${ttlMs}, expected an integer from 1000 to 600000`);
    }
    this.#components = { clock, logger, random };
    this.#nodeId = nodeId;
    this.#ttlMs = ttlMs;
    this.#log = broker.openLog({
      topic,
      retentionMs: RETENTION_MS,
      onRecord: (record) => this.#lease(record.key).take(record),
    });
    this.#log.ready({ signal: this.#closing.signal }).then(
      () => {
        this.#ready = true;
        for (const lease of this.#leases.values()) lease.begin();
      },
      () => {},
    );
  }

  acquire(name: string): KafkaLease {
    const lease = this.#lease(name);
    lease.want();
    return lease;
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('the leases were closed'));
    await Promise.allSettled([...this.#leases.values()].map((lease) => lease.release()));
    this.#log.close();
  }

  /** Who holds a lease is followed from the beginning of the log, also before this node asks for it. */
  #lease(name: string): LogLease {
    let lease = this.#leases.get(name);
    if (lease === undefined) {
      lease = new LogLease(
        { ...this.#components, log: () => this.#log },
        { name, nodeId: this.#nodeId, ttlMs: this.#ttlMs },
      );
      this.#leases.set(name, lease);
      if (this.#ready) lease.begin();
    }
    return lease;
  }
}
