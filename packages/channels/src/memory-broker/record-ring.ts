import type { MemoryRecord } from './memory-record.ts';

/** The last records of a channel, by their sequence numbers, which have no holes. */
export interface RecordRing {
  /** The sequence of the oldest record that is held; one past the newest when none is. */
  readonly oldest: number;
  /** The sequence of the newest record that ever came; 0 before the first. */
  readonly newest: number;
  /** The time of the newest record that came and is not held any more. */
  readonly lostTime: string | undefined;
  /** Takes the record whose sequence follows the newest. */
  push(record: MemoryRecord): void;
  /** The records after `after` up to and with `until` that are held, in order. */
  slice(after: number, until: number): MemoryRecord[];
}

export function createRecordRing(capacity: number): RecordRing {
  return new SequenceRing(capacity);
}

class SequenceRing implements RecordRing {
  newest = 0;
  lostTime: string | undefined;
  readonly #capacity: number;
  readonly #records: MemoryRecord[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get oldest(): number {
    return this.newest - this.#records.length + 1;
  }

  push(record: MemoryRecord): void {
    const index = this.newest++ % this.#capacity;
    if (this.#capacity === 0) {
      this.lostTime = record.time;
      return;
    }
    const fallen = this.#records[index];
    if (fallen !== undefined) this.lostTime = fallen.time;
    this.#records[index] = record;
  }

  slice(after: number, until: number): MemoryRecord[] {
    const found: MemoryRecord[] = [];
    const last = Math.min(until, this.newest);
    for (let sequence = Math.max(after + 1, this.oldest); sequence <= last; sequence++) {
      const record = this.#records[(sequence - 1) % this.#capacity];
      if (record !== undefined) found.push(record);
    }
    return found;
  }
}
