import type { DriverRecord } from '../client/driver.ts';

/** Where an accepted record lies. */
export interface Accepted {
  readonly partition: number;
  readonly offset: number;
}

/** A record that waits for Kafka. */
export interface Waiting {
  readonly topic: string;
  readonly record: DriverRecord;
  readonly bytes: number;
  /** What its partition is chosen by; null: the first one. */
  readonly partitionKey: Buffer | null;
  /** On the monotonic clock. */
  readonly deadline: number;
  /** It was refused as one of a batch, and goes alone to find out which one is to blame. */
  alone: boolean;
  /** Somebody has been answered; it only still takes room. */
  settled: boolean;
  readonly accept: (accepted: Accepted) => void;
  readonly refuse: (error: unknown) => void;
}

/** Records and bytes that one batch carries at most; a single larger record still goes. */
const BATCH_RECORDS = 5_000;
const BATCH_BYTES = 900_000;

/**
 * The records of one partition in the order they came. At most one batch of it is under way, and a batch that
 * failed goes first again: so records of one key never overtake each other, whatever fails.
 */
export class Lane {
  readonly topic: string;
  readonly partition: number;
  #queue: Waiting[] = [];
  #head = 0;
  #underWay: readonly Waiting[] = [];
  /** Failures in a row. */
  failures = 0;
  /** Not before, on the monotonic clock. */
  notBefore = 0;

  constructor(topic: string, partition: number) {
    this.topic = topic;
    this.partition = partition;
  }

  get waiting(): number {
    return this.#queue.length - this.#head;
  }

  get busy(): boolean {
    return this.#underWay.length > 0;
  }

  get empty(): boolean {
    return this.waiting === 0 && !this.busy;
  }

  push(waiting: Waiting): void {
    this.#queue.push(waiting);
  }

  /** Takes the next batch; it is under way until `done` or `putBack`. Nobody waits for what is settled. */
  take(): readonly Waiting[] {
    const batch: Waiting[] = [];
    let bytes = 0;
    for (let next = this.#queue[this.#head]; next !== undefined; next = this.#queue[this.#head]) {
      if (!next.settled) {
        const full = batch.length >= BATCH_RECORDS || bytes + next.bytes > BATCH_BYTES || next.alone;
        if (batch.length > 0 && full) break;
        batch.push(next);
        bytes += next.bytes;
      }
      this.#head += 1;
      if (next.alone && !next.settled) break;
    }
    this.#trim();
    this.#underWay = batch;
    return batch;
  }

  done(): void {
    this.#underWay = [];
  }

  /** The batch goes first again, less what nobody waits for any more. */
  putBack(): void {
    const again = this.#underWay.filter(({ settled }) => !settled);
    this.#queue = [...again, ...this.#queue.slice(this.#head)];
    this.#head = 0;
    this.#underWay = [];
  }

  /** Calls `expire` with every record, waiting or under way, whose time is over. They are in order of it. */
  sweep(now: number, expire: (waiting: Waiting) => void): void {
    for (const waiting of this.#underWay) {
      if (!waiting.settled && waiting.deadline <= now) expire(waiting);
    }
    for (let next = this.#queue[this.#head]; next !== undefined; next = this.#queue[this.#head]) {
      if (!next.settled && next.deadline > now) break;
      if (!next.settled) expire(next);
      this.#head += 1;
    }
    this.#trim();
  }

  /** When the first of them will be over. */
  nextDeadline(): number {
    const waiting = this.#queue[this.#head]?.deadline ?? Number.POSITIVE_INFINITY;
    const underWay = this.#underWay.find(({ settled }) => !settled)?.deadline ?? Number.POSITIVE_INFINITY;
    return Math.min(waiting, underWay);
  }

  /** Everything in it, in order. */
  *all(): IterableIterator<Waiting> {
    yield* this.#underWay;
    for (let i = this.#head; i < this.#queue.length; i++) {
      const waiting = this.#queue[i];
      if (waiting !== undefined) yield waiting;
    }
  }

  #trim(): void {
    if (this.#head === this.#queue.length) {
      this.#queue = [];
      this.#head = 0;
    } else if (this.#head > 1_024 && this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
  }
}
