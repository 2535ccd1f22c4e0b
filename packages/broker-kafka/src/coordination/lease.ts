import type { Clock, JsonObject, Logger, Timer } from '@esdb-gater/types';
import type { KafkaLog, KafkaLogRecord } from './compacted-log.ts';
import { applyEntry, type LeaseEntry, type LeaseState, parseEntry } from './lease-state.ts';

/** The right to do something that one node at a time does. */
export interface KafkaLease {
  readonly name: string;
  /** Of this node while it holds the lease, for whoever wants to refuse an earlier holder; else undefined. */
  readonly epoch: number | undefined;
  /** Calls `listener` when this node gets the lease (with its epoch) and when it loses it. Returns what detaches it. */
  onChange(listener: (epoch: number | undefined) => void): () => void;
  /** Gives it up, at once for others to take, and asks for it no more. */
  release(): Promise<void>;
}

export interface LeaseComponents {
  readonly log: () => KafkaLog;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
}

export interface LeaseSettings {
  readonly name: string;
  readonly nodeId: string;
  readonly ttlMs: number;
}

/** A holder stops this part of its time before others may take over. */
const MARGIN = 0.15;

/**
 * A lease as one node sees it: asks for it when it is free, renews it three times in its time, and counts it as lost
 * when a renewal has not come back through the log in time, whatever others may think. So two nodes never both
 * believe to hold it, as long as their clocks run at about the same speed.
 */
export class LogLease implements KafkaLease {
  readonly name: string;
  readonly #components: LeaseComponents;
  readonly #settings: LeaseSettings;
  readonly #listeners = new Set<(epoch: number | undefined) => void>();
  /** When what this node wrote was sent, on the monotonic clock, by sequence. */
  readonly #sentAt = new Map<number, number>();
  #state: LeaseState | undefined;
  #sequence = 0;
  /** When something last changed in the log, on the monotonic clock. */
  #heardAt: number;
  #epoch: number | undefined;
  #safeUntil = 0;
  #timer: Timer | undefined;
  #expiry: Timer | undefined;
  #wanted = false;
  /** The log was read to its end: silence means that nobody holds the lease. */
  #begun = false;

  constructor(components: LeaseComponents, settings: LeaseSettings) {
    this.#components = components;
    this.#settings = settings;
    this.name = settings.name;
    this.#heardAt = components.clock.monotonic();
  }

  get epoch(): number | undefined {
    return this.#components.clock.monotonic() < this.#safeUntil ? this.#epoch : undefined;
  }

  onChange(listener: (epoch: number | undefined) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** From now on this node asks for the lease. */
  want(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#plan(0);
  }

  /** The log was read to its end. */
  begin(): void {
    this.#begun = true;
    this.#plan(0);
  }

  take({ value, offset, timeMs }: KafkaLogRecord): void {
    const entry = parseEntry(value);
    if (entry === undefined) return;
    const { clock, log } = this.#components;
    const before = this.#state;
    this.#state = applyEntry(before, entry, { offset, timeMs, complete: log().complete });
    if (this.#state !== before) this.#heardAt = clock.monotonic();
    const mine = entry.holder === this.#settings.nodeId ? this.#sentAt.get(entry.sequence) : undefined;
    if (mine !== undefined) this.#sentAt.delete(entry.sequence);
    const won = mine !== undefined && this.#state?.holder === this.#settings.nodeId && this.#wanted;
    if (won && this.#state?.epoch === (entry.epoch ?? offset)) this.#hold(this.#state.epoch, mine);
    else if (this.#epoch !== undefined && this.#state?.epoch !== this.#epoch) this.#lose();
    if (this.#state === undefined && before !== undefined) this.#plan(this.#jitter());
  }

  async release(): Promise<void> {
    const { epoch } = this;
    this.#wanted = false;
    this.#timer?.cancel();
    this.#lose();
    if (epoch !== undefined) await this.#write({ epoch, released: true });
  }

  #hold(epoch: number, sentAt: number): void {
    const { clock } = this.#components;
    const { ttlMs } = this.#settings;
    this.#safeUntil = Math.max(this.#safeUntil, sentAt + ttlMs * (1 - MARGIN));
    this.#expiry?.cancel();
    this.#expiry = clock.setTimer(() => this.#lose(), this.#safeUntil - clock.monotonic(), { unref: true });
    if (this.#epoch === epoch) return;
    this.#epoch = epoch;
    // A claim that waited for Kafka has used up part of its time.
    this.#plan(Math.max(0, sentAt + ttlMs / 3 - clock.monotonic()));
    this.#tell(epoch);
  }

  #lose(): void {
    this.#expiry?.cancel();
    if (this.#epoch === undefined) return;
    this.#epoch = undefined;
    this.#safeUntil = 0;
    this.#tell(undefined);
    this.#plan(this.#untilFree());
  }

  #tell(epoch: number | undefined): void {
    this.#components.logger.info(
      { lease: this.name, epoch },
      epoch === undefined ? 'a lease was lost' : 'a lease is held',
    );
    for (const listener of this.#listeners) listener(epoch);
  }

  #plan(delayMs: number): void {
    if (!this.#wanted || !this.#begun) return;
    this.#timer?.cancel();
    this.#timer = this.#components.clock.setTimer(() => this.#act(), delayMs, { unref: true });
  }

  /** Renews what is held, claims what is free, or waits on. */
  #act(): void {
    const { ttlMs } = this.#settings;
    if (this.#epoch !== undefined) {
      void this.#write({ epoch: this.#epoch });
      this.#plan(ttlMs / 3);
      return;
    }
    const wait =
      this.#state === undefined || this.#state.holder === this.#settings.nodeId ? 0 : this.#untilFree();
    if (wait > 0) {
      this.#plan(wait);
      return;
    }
    void this.#write({});
    this.#plan(ttlMs + this.#jitter());
  }

  /** The broker's clock is not ours; but what came through the log was written before it was heard. */
  #untilFree(): number {
    const { clock } = this.#components;
    const over = this.#heardAt + this.#settings.ttlMs * (1 + MARGIN) - clock.monotonic();
    return over <= 0 ? 0 : over + this.#jitter();
  }

  #jitter(): number {
    return this.#components.random() * this.#settings.ttlMs * MARGIN;
  }

  async #write(entry: Partial<LeaseEntry>): Promise<void> {
    const { log, clock, logger } = this.#components;
    const { name, nodeId, ttlMs } = this.#settings;
    const sequence = this.#sequence++;
    this.#sentAt.set(sequence, clock.monotonic());
    const value: JsonObject = { holder: nodeId, ttlMs, sequence, ...entry };
    try {
      await log().append(name, value);
    } catch (error) {
      this.#sentAt.delete(sequence);
      logger.debug({ lease: name, cause: error }, 'a lease could not be written');
    }
  }
}
