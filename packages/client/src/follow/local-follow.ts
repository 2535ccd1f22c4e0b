import { AsyncQueue, type PackedValue, packValue, unpackValue } from '@esdb-gater/primitives';
import type { FollowEventsParams } from '@esdb-gater/protocol';
import type { RecordedEvent } from '@esdb-gater/types';

/**
 * The state of a follow at the gateway:
 *
 * - `absent`: the gateway does not know it (no connection, or not requested yet);
 * - `asked`: `followEvents` is unanswered;
 * - `active`: its events arrive;
 * - `paused`: its buffer was full, so it has left the gateway.
 */
export type FollowStage = 'absent' | 'asked' | 'active' | 'paused';

/** What a follow needs from its hub. */
export interface FollowOwner {
  start(follow: LocalFollow): void;
  resume(follow: LocalFollow): void;
  pause(follow: LocalFollow): void;
  remove(follow: LocalFollow): void;
}

export interface LocalFollowOptions {
  readonly bufferEvents: number;
  readonly bufferBytes: number;
  readonly token: string | undefined;
  readonly onCaughtUp: ((position: number) => void) | undefined;
}

/** An event that waits for the reader, or how far all events before it reach. */
type Item = PackedValue<RecordedEvent> | { readonly caughtUp: number };

/** A follow of this client: receives events and buffers them for its reader. */
export class LocalFollow implements AsyncIterableIterator<RecordedEvent, undefined> {
  readonly token: string | undefined;
  stage: FollowStage = 'absent';
  /** The id that the gateway gave it. */
  followId: string | undefined;
  /** Counts the `followEvents` calls, so that a late answer to an earlier one is recognised. */
  generation = 0;
  /** True once a gateway has accepted it: what fails later is expected to come back. */
  isAccepted = false;
  readonly #owner: FollowOwner;
  readonly #given: FollowEventsParams;
  readonly #options: LocalFollowOptions;
  readonly #queue = new AsyncQueue<Item>({ onTaken: (item) => this.#taken(item) });
  /** Where the gateway continues: everything up to here is buffered or was read. */
  #received: { readonly after: number; readonly afterId?: string };
  #isStarted = false;
  #events = 0;
  #bytes = 0;

  constructor(params: FollowEventsParams, owner: FollowOwner, options: LocalFollowOptions) {
    const { after = 0, afterId } = params;
    this.#given = params;
    this.#owner = owner;
    this.#options = options;
    this.token = options.token;
    this.#received = afterId === undefined ? { after } : { after, afterId };
  }

  /** Parameters of the next `followEvents`: those of the caller first, later from the last event on. */
  get params(): FollowEventsParams {
    const { after: _, afterId: __, ...selection } = this.#given;
    return { ...selection, ...this.#received };
  }

  get ended(): boolean {
    return this.#queue.ended;
  }

  /** @param units the length of its frame, if it came in one */
  followed(event: RecordedEvent, units?: number): void {
    const packed = packValue(event, units, this.#queue.isAwaited);
    const { bufferEvents, bufferBytes } = this.#options;
    const isFull =
      this.#events >= bufferEvents || (this.#events > 0 && this.#bytes + packed.bytes > bufferBytes);
    if (isFull) {
      // This event does not count as received, so that it is the first one after the pause.
      this.#owner.pause(this);
      return;
    }
    this.#received = { after: event.position, afterId: event.id };
    this.#events += 1;
    this.#bytes += packed.bytes;
    this.#queue.put(packed);
  }

  caughtUp(position: number): void {
    const { after, afterId } = this.#received;
    // The position of an event is kept, since its id proves it.
    if (position < after || afterId === undefined) this.#received = { after: position };
    this.#queue.put({ caughtUp: position });
  }

  /** Handles that the gateway reads from the store again, perhaps from before the last event. */
  fellBehind(position: number): void {
    if (position < this.#received.after) this.#received = { after: position };
  }

  /** Handles the loss of the connection. */
  detached(): void {
    if (this.stage === 'paused') return;
    this.stage = 'absent';
    this.followId = undefined;
    this.generation++;
  }

  end(failure?: { readonly error: unknown }): void {
    this.stage = 'absent';
    this.generation++;
    this.#queue.end(failure);
  }

  async next(): Promise<IteratorResult<RecordedEvent, undefined>> {
    if (!this.#isStarted) {
      this.#isStarted = true;
      this.#owner.start(this);
    }
    for (;;) {
      const { done, value } = await this.#queue.next();
      if (done === true) return { done, value: undefined };
      if ('caughtUp' in value) this.#options.onCaughtUp?.(value.caughtUp);
      else return { done: false, value: unpackValue(value) };
    }
  }

  async return(): Promise<IteratorResult<RecordedEvent, undefined>> {
    this.#isStarted = true;
    this.#owner.remove(this);
    await this.#queue.return();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  #taken(item: Item): void {
    if ('caughtUp' in item) return;
    const { bufferEvents, bufferBytes } = this.#options;
    this.#events -= 1;
    this.#bytes -= item.bytes;
    const hasRoom = this.#events * 2 <= bufferEvents && this.#bytes * 2 <= bufferBytes;
    if (this.stage === 'paused' && hasRoom) this.#owner.resume(this);
  }
}
