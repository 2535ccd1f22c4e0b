import { GenerationMap } from '@esdb-gater/primitives';
import type { ChannelName, Clock, PublishResult } from '@esdb-gater/types';

/** The identity of a publish, by which a repeated one is recognised. */
export interface Publication {
  readonly channel: ChannelName;
  readonly topic: string;
  readonly publisher: string;
  readonly id: string;
  /** The hash of the message. */
  readonly hash: number;
}

/** A remembered publish. */
export interface RememberedPublish extends Publication {
  /** The answer, once there is one. */
  result: PublishResult | undefined;
  /** The answer to come, while the publish is in flight. */
  waiting: Promise<PublishResult> | undefined;
}

/**
 * Remembers the publishes with an `id` of the last minutes. A publish that is neither answered nor in flight has an
 * unknown outcome, so a repetition is sent to the broker again.
 */
export interface PublishMemory {
  find(publication: Publication): RememberedPublish | undefined;
  remember(publication: Publication): RememberedPublish;
  /** Stores the answer to a publish. */
  answer(remembered: RememberedPublish, result: PublishResult): void;
  forget(remembered: RememberedPublish): void;
}

/** The bounds are those of both generations together: when they are full, the older is dropped early. */
export interface PublishMemoryOptions {
  readonly windowMs: number;
  readonly maxEntries: number;
  readonly maxBytes: number;
}

/** The memory of an entry without its strings. */
const ENTRY_BYTES = 128;

interface Entry extends RememberedPublish {
  readonly atMs: number;
  /** The next entry with the same id. */
  readonly next: Entry | undefined;
  forgotten: boolean;
}

/**
 * Creates an empty memory of two generations. The older one is dropped as a whole, so entries need not be deleted one
 * by one. An entry is kept for one to two windows, and is recognised for one.
 */
export function createPublishMemory(
  clock: Pick<Clock, 'monotonic'>,
  { windowMs, maxEntries, maxBytes }: PublishMemoryOptions,
): PublishMemory {
  return new GenerationMemory(clock, windowMs, maxEntries >> 1, maxBytes / 2);
}

class GenerationMemory implements PublishMemory {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #windowMs: number;
  readonly #half: number;
  readonly #halfBytes: number;
  /** By id only, which is nearly always unique and already a string; a key of all parts would have to be built. */
  readonly #entries = new GenerationMap<string, Entry>(Number.POSITIVE_INFINITY);
  #turnedAt: number;
  #count = 0;
  /** Of the younger generation. */
  #bytes = 0;

  constructor(clock: Pick<Clock, 'monotonic'>, windowMs: number, half: number, halfBytes: number) {
    this.#clock = clock;
    this.#windowMs = windowMs;
    this.#half = half;
    this.#halfBytes = halfBytes;
    this.#turnedAt = clock.monotonic();
  }

  find(publication: Publication): RememberedPublish | undefined {
    const { id } = publication;
    return (
      this.#find(this.#entries.peekYoung(id), publication) ??
      this.#find(this.#entries.peekOld(id), publication)
    );
  }

  remember({ channel, topic, publisher, id, hash }: Publication): RememberedPublish {
    const atMs = Math.floor(this.#clock.monotonic());
    const bytes = ENTRY_BYTES + id.length + topic.length + publisher.length;
    const isFull = this.#count >= this.#half || this.#bytes + bytes > this.#halfBytes;
    if (isFull || atMs - this.#turnedAt > this.#windowMs) {
      this.#entries.rotate();
      this.#count = 0;
      this.#bytes = 0;
      this.#turnedAt = atMs;
    }
    const next = this.#entries.peekYoung(id);
    const entry: Entry = {
      channel,
      topic,
      publisher,
      id,
      hash,
      result: undefined,
      waiting: undefined,
      atMs,
      next,
      forgotten: false,
    };
    if (this.#half > 0) {
      this.#entries.set(id, entry);
      this.#count++;
      this.#bytes += bytes;
    }
    return entry;
  }

  answer(remembered: RememberedPublish, result: PublishResult): void {
    remembered.result = result;
    remembered.waiting = undefined;
    // Positions can be long, since they name every store.
    this.#bytes += result.position?.length ?? 0;
  }

  forget(remembered: RememberedPublish): void {
    (remembered as Entry).forgotten = true;
  }

  #find(first: Entry | undefined, wanted: Publication): Entry | undefined {
    for (let entry = first; entry !== undefined; entry = entry.next) {
      if (
        !entry.forgotten &&
        entry.hash === wanted.hash &&
        entry.topic === wanted.topic &&
        entry.channel === wanted.channel &&
        entry.publisher === wanted.publisher &&
        this.#clock.monotonic() - entry.atMs <= this.#windowMs
      ) {
        return entry;
      }
    }
    return undefined;
  }
}
