import { type Logger, type RecordedEvent, silentLogger } from '@esdb-gater/types';
import type { StoreTail } from '../tail/store-tail.ts';
import type { SelectableEvent } from './selection.ts';

/** An event that a store has just committed, encoded once for all its followers. */
export interface LiveEvent extends SelectableEvent {
  readonly position: number;
  readonly version: number;
  /** The event as JSON. */
  readonly text: string;
}

/** Is told of the newest events of a store. */
export interface LiveListener {
  /** The only stream that it wants. @default all streams */
  readonly streamId?: string | undefined;
  take(event: LiveEvent): void;
  /** The store was restored or begun anew: what follows `position` may be another history. */
  wentBack(position: number): void;
}

export interface LiveEventsOptions {
  /** The events, as JSON text, that are kept for followers that are a little behind. @default 1 MiB */
  readonly keptBytes?: number;
}

const KEPT_BYTES = 1_048_576;

/**
 * The newest events of a store, read once for all that follow it. Keeps the last ones, so that a follower that is a little
 * behind continues without a read of its own. It reads only while somebody listens.
 */
export class LiveEvents {
  readonly #tail: StoreTail;
  readonly #logger: Logger;
  readonly #keptBytes: number;
  readonly #byStream = new Map<string, Set<LiveListener>>();
  readonly #all = new Set<LiveListener>();
  /** In order of their positions. */
  #recent: LiveEvent[] = [];
  #recentBytes = 0;
  /** Every event after this position, up to `#position`, is in `#recent`. */
  #keptAfter = 0;
  #position = 0;
  #reading: AbortController | undefined;

  constructor(tail: StoreTail, options: LiveEventsOptions = {}, logger: Logger = silentLogger) {
    this.#tail = tail;
    this.#logger = logger;
    this.#keptBytes = options.keptBytes ?? KEPT_BYTES;
  }

  /** Every event up to here was passed on. */
  get position(): number {
    return this.#position;
  }

  /**
   * Adds a listener. Returns a function that removes it.
   *
   * @param newest the store's newest position, from where reading begins when nobody listened before
   */
  listen(listener: LiveListener, newest: number): () => void {
    const group = this.#groupOf(listener);
    group.add(listener);
    if (this.#reading === undefined) this.#begin(newest);
    return () => this.#remove(listener);
  }

  /** Returns the events after `position`; undefined when some of them are no longer kept. */
  since(position: number): readonly LiveEvent[] | undefined {
    if (position < this.#keptAfter) return undefined;
    if (position >= this.#position) return [];
    return this.#recent.slice(this.#recent.findIndex((event) => event.position > position));
  }

  close(): void {
    this.#byStream.clear();
    this.#all.clear();
    this.#end();
  }

  #groupOf({ streamId }: LiveListener): Set<LiveListener> {
    if (streamId === undefined) return this.#all;
    let group = this.#byStream.get(streamId);
    if (group === undefined) {
      group = new Set();
      this.#byStream.set(streamId, group);
    }
    return group;
  }

  #remove(listener: LiveListener): void {
    const { streamId } = listener;
    const group = streamId === undefined ? this.#all : this.#byStream.get(streamId);
    group?.delete(listener);
    if (streamId !== undefined && group?.size === 0) this.#byStream.delete(streamId);
    if (this.#all.size === 0 && this.#byStream.size === 0) this.#end();
  }

  #begin(newest: number): void {
    const reading = new AbortController();
    this.#reading = reading;
    this.#startAt(newest);
    this.#read(newest, reading.signal).catch((error: unknown) => {
      // The tail retries every failure of a store, so this is a fault of this program.
      this.#logger.error({ err: error }, 'the newest events of a store can no longer be read');
    });
  }

  #end(): void {
    this.#reading?.abort();
    this.#reading = undefined;
    this.#startAt(0);
  }

  #startAt(position: number): void {
    this.#recent = [];
    this.#recentBytes = 0;
    this.#keptAfter = position;
    this.#position = position;
  }

  async #read(after: number, signal: AbortSignal): Promise<void> {
    for await (const { events, upTo, wentBackTo } of this.#tail.read({
      after: { position: after },
      signal,
    })) {
      if (signal.aborted) return;
      if (wentBackTo !== undefined) this.#goBack(wentBackTo);
      for (const event of events) this.#pass(event);
      this.#position = upTo;
      this.#forgetOldest();
    }
  }

  #goBack(position: number): void {
    this.#startAt(position);
    for (const listener of this.#listeners()) listener.wentBack(position);
  }

  #pass(event: RecordedEvent): void {
    const { position, version, streamId, type, tags } = event;
    const live: LiveEvent = { position, version, streamId, type, tags, text: JSON.stringify(event) };
    this.#recent.push(live);
    this.#recentBytes += live.text.length;
    // Before the listeners: one that begins to listen now has read this event, or finds it among the kept ones.
    this.#position = position;
    for (const listener of this.#byStream.get(streamId) ?? []) listener.take(live);
    for (const listener of this.#all) listener.take(live);
  }

  /** Keeps as many events as the bound allows. */
  #forgetOldest(): void {
    let count = 0;
    for (const { position, text } of this.#recent) {
      if (this.#recentBytes <= this.#keptBytes) break;
      this.#recentBytes -= text.length;
      this.#keptAfter = position;
      count++;
    }
    if (count > 0) this.#recent = this.#recent.slice(count);
  }

  *#listeners(): Generator<LiveListener> {
    for (const group of this.#byStream.values()) yield* group;
    yield* this.#all;
  }
}
