import type { Clock, Timer } from '@esdb-gater/types';
import type { KafkaLog, KafkaLogOptions, KafkaLogRecord } from '../../src/coordination/compacted-log.ts';

interface Event {
  readonly atMs: number;
  readonly order: number;
  run: (() => void) | undefined;
}

/** Simulates several nodes, one log and a clock that only the test advances, for tests of timing without waiting. */
export class Simulation {
  readonly log: KafkaLogRecord[] = [];
  readonly #events: Event[] = [];
  readonly #cut = new Set<string>();
  readonly #held: (() => void)[] = [];
  readonly #readers: ((record: KafkaLogRecord) => void)[] = [];
  #mostDelayMs: number;
  #now = 0;
  #order = 0;
  #seed: number;

  constructor(seed: number, mostDelayMs: number = 20) {
    this.#seed = seed >>> 0;
    this.#mostDelayMs = mostDelayMs;
  }

  /** Mulberry32: small, and the same for the same seed. */
  readonly random = (): number => {
    this.#seed = (this.#seed + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#seed ^ (this.#seed >>> 15), this.#seed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };

  /** The clock and the broker of one node. */
  node(nodeId: string): {
    readonly clock: Clock;
    readonly broker: { openLog(options: KafkaLogOptions): KafkaLog };
  } {
    const clock: Clock = {
      now: () => this.#now,
      monotonic: () => this.#now,
      setTimer: (run, delayMs) => this.at(this.#now + Math.max(0, delayMs), run),
    };
    return { clock, broker: { openLog: (options) => this.#open(nodeId, options) } };
  }

  at(atMs: number, run: () => void): Timer {
    const event: Event = { atMs, order: this.#order++, run };
    this.#events.push(event);
    return {
      cancel: () => {
        event.run = undefined;
      },
    };
  }

  /** Delays all traffic from and to the node until it is healed; nothing is dropped. */
  cut(nodeId: string): void {
    this.#cut.add(nodeId);
  }

  heal(nodeId: string): void {
    this.#cut.delete(nodeId);
    for (const retry of this.#held.splice(0)) retry();
  }

  /** Heals all, and delays little from now on. */
  calm(): void {
    this.#mostDelayMs = 20;
    for (const nodeId of [...this.#cut]) this.heal(nodeId);
  }

  /** Lets time pass; `check` is called after every event. */
  async run(forMs: number, check: () => void = () => {}): Promise<void> {
    const end = this.#now + forMs;
    for (;;) {
      // Lets the work of the last event and of the test finish before the next event.
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
      this.#events.sort((a, b) => a.atMs - b.atMs || a.order - b.order);
      const next = this.#events[0];
      if (next === undefined || next.atMs > end) break;
      this.#events.shift();
      this.#now = Math.max(this.#now, next.atMs);
      next.run?.();
      check();
    }
    this.#now = end;
    check();
  }

  #open(nodeId: string, { onRecord }: KafkaLogOptions): KafkaLog {
    let lastMs = 0;
    const deliver = (record: KafkaLogRecord): void => {
      // In order, as a partition is read.
      lastMs = Math.max(lastMs, this.#now + this.#delay());
      this.at(lastMs, () => this.#through(nodeId, () => onRecord(record)));
    };
    for (const record of this.log) deliver(record);
    this.#readers.push(deliver);
    return {
      complete: true,
      ready: () => new Promise((resolve) => this.at(this.#now + 4 * this.#mostDelayMs, resolve)),
      append: (key, value) => this.#append(nodeId, key, value),
      close: () => {},
    };
  }

  #append(nodeId: string, key: string, value: KafkaLogRecord['value']): Promise<{ readonly offset: number }> {
    const { promise, resolve } = Promise.withResolvers<{ readonly offset: number }>();
    this.at(this.#now + this.#delay(), () =>
      this.#through(nodeId, () => {
        const offset = this.log.length;
        const record = {
          key,
          offset,
          timeMs: Math.floor(this.#now),
          ...(value === undefined ? {} : { value }),
        };
        this.log.push(record);
        for (const deliver of this.#readers) deliver(record);
        this.at(this.#now + this.#delay(), () => resolve({ offset }));
      }),
    );
    return promise;
  }

  #through(nodeId: string, run: () => void): void {
    if (this.#cut.has(nodeId)) this.#held.push(() => this.at(this.#now, () => this.#through(nodeId, run)));
    else run();
  }

  #delay(): number {
    return this.random() * this.#mostDelayMs;
  }
}
