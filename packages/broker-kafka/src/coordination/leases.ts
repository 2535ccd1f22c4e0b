import { invalidOption, requireInteger } from '@esdb-gater/primitives';
import {
  type Clock,
  type JsonObject,
  type Logger,
  silentLogger,
  systemClock,
  type Timer,
} from '@esdb-gater/types';
import type { KafkaLog, KafkaLogRecord, LogOpener } from './compacted-log.ts';
import { applyEntry, type LeaseEntry, type LeaseState, parseEntry } from './lease-state.ts';

export interface KafkaLeasesComponents {
  readonly broker: LogOpener;
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** @default Math.random */
  readonly random?: () => number;
}

export interface KafkaLeasesOptions {
  /** The id of this node, unique among running nodes. */
  readonly nodeId: string;
  /** How long a lease outlives a node that dies. 1 000 to 600 000. @default 5 000 */
  readonly ttlMs?: number;
  /** The same on all nodes. @default 'esdb_gater_leases' */
  readonly topic?: string;
}

/** Grants leases, on which the nodes agree through one small Kafka topic. */
export interface KafkaLeases {
  /** Claims a lease by its name until it is released, and claims it again when it is lost. */
  acquire(name: string): KafkaLease;
  /** Releases all leases. */
  close(): Promise<void>;
}

/** The right to do something that only one node at a time does. */
export interface KafkaLease {
  readonly name: string;
  /** Set while this node holds the lease. Later holders have greater epochs, so an earlier one can be refused. */
  readonly epoch: number | undefined;
  /** Calls `listener` with the epoch when this node gets the lease, and without one when it loses it. Returns a function that removes it. */
  onChange(listener: (epoch: number | undefined) => void): () => void;
  /** Releases the lease, so that others can claim it at once, and stops claiming it. */
  release(): Promise<void>;
}

/** Older entries do not show who holds a lease now. */
const RETENTION_MS = 86_400_000;
/** The part of its time by which a holder stops before others may claim the lease. */
const MARGIN = 0.15;

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
    if (nodeId === '') throw invalidOption('nodeId', nodeId, 'a name', { reason: 'lease' });
    requireInteger('ttlMs', ttlMs, { reason: 'lease', min: 1_000, max: 600_000 });
    this.#components = { clock, logger, random };
    this.#nodeId = nodeId;
    this.#ttlMs = ttlMs;
    this.#log = broker.openLog({
      topic,
      retentionMs: RETENTION_MS,
      onRecord: (record) => this.#lease(record.key).apply(record),
    });
    this.#log.ready({ signal: this.#closing.signal }).then(
      () => {
        this.#ready = true;
        for (const lease of this.#leases.values()) lease.start();
      },
      () => {},
    );
  }

  acquire(name: string): KafkaLease {
    const lease = this.#lease(name);
    lease.acquire();
    return lease;
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('the leases were closed'));
    await Promise.allSettled([...this.#leases.values()].map((lease) => lease.release()));
    this.#log.close();
  }

  /** Returns a lease. Its holder is tracked from the beginning of the log, before this node acquires it too. */
  #lease(name: string): LogLease {
    let lease = this.#leases.get(name);
    if (lease === undefined) {
      lease = new LogLease(
        { ...this.#components, log: () => this.#log },
        { name, nodeId: this.#nodeId, ttlMs: this.#ttlMs },
      );
      this.#leases.set(name, lease);
      if (this.#ready) lease.start();
    }
    return lease;
  }
}

interface LeaseComponents {
  readonly log: () => KafkaLog;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
}

interface LeaseSettings {
  readonly name: string;
  readonly nodeId: string;
  readonly ttlMs: number;
}

/**
 * Holds one node's view of a lease. Claims the lease when it is free, renews it three times per duration, and counts it
 * as lost when no renewal was read back from the log in time, whatever the other nodes assume. So two nodes never both
 * believe that they hold it, as long as their clocks run at about the same speed.
 */
class LogLease implements KafkaLease {
  readonly name: string;
  readonly #components: LeaseComponents;
  readonly #settings: LeaseSettings;
  readonly #listeners = new Set<(epoch: number | undefined) => void>();
  /** When this node wrote its entries, on the monotonic clock, by sequence. */
  readonly #writtenAt = new Map<number, number>();
  #state: LeaseState | undefined;
  #sequence = 0;
  /** When the state last changed, on the monotonic clock. */
  #changedAt: number;
  #epoch: number | undefined;
  /** Until when this node holds the lease, on the monotonic clock. */
  #heldUntil = 0;
  #timer: Timer | undefined;
  #expiry: Timer | undefined;
  #wanted = false;
  /** The log was read to its end, so without an entry no node holds the lease. */
  #started = false;

  constructor(components: LeaseComponents, settings: LeaseSettings) {
    this.#components = components;
    this.#settings = settings;
    this.name = settings.name;
    this.#changedAt = components.clock.monotonic();
  }

  get epoch(): number | undefined {
    return this.#components.clock.monotonic() < this.#heldUntil ? this.#epoch : undefined;
  }

  onChange(listener: (epoch: number | undefined) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Claims the lease from now on. */
  acquire(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#schedule(0);
  }

  /** Called once the log was read to its end. */
  start(): void {
    this.#started = true;
    this.#schedule(0);
  }

  /** Applies a record of the log. */
  apply({ value, offset, timeMs }: KafkaLogRecord): void {
    const entry = parseEntry(value);
    if (entry === undefined) return;
    const { clock, log } = this.#components;
    const { nodeId } = this.#settings;
    const before = this.#state;
    this.#state = applyEntry(before, entry, { offset, timeMs, complete: log().complete });
    if (this.#state !== before) this.#changedAt = clock.monotonic();
    const writtenAt = entry.holder === nodeId ? this.#writtenAt.get(entry.sequence) : undefined;
    if (writtenAt !== undefined) this.#writtenAt.delete(entry.sequence);
    const won = writtenAt !== undefined && this.#state?.holder === nodeId && this.#wanted;
    if (won && this.#state?.epoch === (entry.epoch ?? offset)) this.#hold(this.#state.epoch, writtenAt);
    else if (this.#epoch !== undefined && this.#state?.epoch !== this.#epoch) this.#lose();
    if (this.#state === undefined && before !== undefined) this.#schedule(this.#jitter());
  }

  async release(): Promise<void> {
    const { epoch } = this;
    this.#wanted = false;
    this.#timer?.cancel();
    this.#lose();
    if (epoch !== undefined) await this.#write({ epoch, released: true });
  }

  #hold(epoch: number, writtenAt: number): void {
    const { clock } = this.#components;
    const { ttlMs } = this.#settings;
    this.#heldUntil = Math.max(this.#heldUntil, writtenAt + ttlMs * (1 - MARGIN));
    this.#expiry?.cancel();
    this.#expiry = clock.setTimer(() => this.#lose(), this.#heldUntil - clock.monotonic(), { unref: true });
    if (this.#epoch === epoch) return;
    this.#epoch = epoch;
    // A claim that waited for Kafka has used up part of the lease's time.
    this.#schedule(Math.max(0, writtenAt + ttlMs / 3 - clock.monotonic()));
    this.#notify(epoch);
  }

  #lose(): void {
    this.#expiry?.cancel();
    if (this.#epoch === undefined) return;
    this.#epoch = undefined;
    this.#heldUntil = 0;
    this.#notify(undefined);
    this.#schedule(this.#untilFreeMs());
  }

  #notify(epoch: number | undefined): void {
    this.#components.logger.info(
      { lease: this.name, epoch },
      epoch === undefined ? 'lost a lease' : 'acquired a lease',
    );
    for (const listener of this.#listeners) listener(epoch);
  }

  #schedule(delayMs: number): void {
    if (!this.#wanted || !this.#started) return;
    this.#timer?.cancel();
    this.#timer = this.#components.clock.setTimer(() => this.#act(), delayMs, { unref: true });
  }

  /** Renews the lease while this node holds it, claims it while it is free, or waits. */
  #act(): void {
    const { ttlMs, nodeId } = this.#settings;
    if (this.#epoch !== undefined) {
      void this.#write({ epoch: this.#epoch });
      this.#schedule(ttlMs / 3);
      return;
    }
    const waitMs = this.#state === undefined || this.#state.holder === nodeId ? 0 : this.#untilFreeMs();
    if (waitMs > 0) {
      this.#schedule(waitMs);
      return;
    }
    void this.#write({});
    this.#schedule(ttlMs + this.#jitter());
  }

  /** Estimates by this node's clock when the lease expires. A change was written by the broker before it was read here. */
  #untilFreeMs(): number {
    const { clock } = this.#components;
    const leftMs = this.#changedAt + this.#settings.ttlMs * (1 + MARGIN) - clock.monotonic();
    return leftMs <= 0 ? 0 : leftMs + this.#jitter();
  }

  #jitter(): number {
    return this.#components.random() * this.#settings.ttlMs * MARGIN;
  }

  async #write(entry: Partial<LeaseEntry>): Promise<void> {
    const { log, clock, logger } = this.#components;
    const { name, nodeId, ttlMs } = this.#settings;
    const sequence = this.#sequence++;
    this.#writtenAt.set(sequence, clock.monotonic());
    const value: JsonObject = { holder: nodeId, ttlMs, sequence, ...entry };
    try {
      await log().append(name, value);
    } catch (error) {
      this.#writtenAt.delete(sequence);
      logger.debug({ lease: name, cause: error }, 'cannot write a lease');
    }
  }
}
