import type { KeptRecord } from './memory-record.ts';

/** The last records of a channel, by their sequence numbers, which have no gaps. */
export interface RecordRing {
  /** The sequence of the oldest record that is held; one past the newest when none is. */
  readonly oldest: number;
  /** The sequence of the newest record that was ever added; 0 before the first. */
  readonly newest: number;
  /** The time of the newest record that is no longer kept. */
  readonly lostTime: string | undefined;
  /** Adds the record whose sequence follows the newest. */
  push(record: KeptRecord): void;
  /** Returns the records after `after` up to and including `until` that are held, in order. */
  slice(after: number, until: number): KeptRecord[];
}

export interface RecordRingOptions {
  /** How many records are held. */
  readonly capacity: number;
  /** How many bytes of messages, as JSON text, are held. */
  readonly maxBytes: number;
}

/** Creates an empty ring. */
export function createRecordRing(options: RecordRingOptions): RecordRing {
  return new SequenceRing(options);
}

class SequenceRing implements RecordRing {
  newest = 0;
  lostTime: string | undefined;
  readonly #capacity: number;
  readonly #maxBytes: number;
  readonly #records: (KeptRecord | undefined)[] = [];
  #count = 0;
  #bytes = 0;

  constructor({ capacity, maxBytes }: RecordRingOptions) {
    this.#capacity = capacity;
    this.#maxBytes = maxBytes;
  }

  get oldest(): number {
    return this.newest - this.#count + 1;
  }

  push(record: KeptRecord): void {
    if (this.#capacity === 0) {
      this.newest += 1;
      this.lostTime = record.time;
      return;
    }
    if (this.#count === this.#capacity) this.#dropOldest();
    this.newest += 1;
    this.#records[this.newest % this.#capacity] = record;
    this.#count += 1;
    this.#bytes += record.bytes;
    while (this.#bytes > this.#maxBytes) this.#dropOldest();
  }

  slice(after: number, until: number): KeptRecord[] {
    const found: KeptRecord[] = [];
    const last = Math.min(until, this.newest);
    for (let sequence = Math.max(after + 1, this.oldest); sequence <= last; sequence++) {
      const record = this.#records[sequence % this.#capacity];
      if (record !== undefined) found.push(record);
    }
    return found;
  }

  #dropOldest(): void {
    const index = this.oldest % this.#capacity;
    const record = this.#records[index];
    this.#records[index] = undefined;
    this.#count -= 1;
    this.#bytes -= record?.bytes ?? 0;
    this.lostTime = record?.time;
  }
}
