import { type EventQuery, GaterError, type RecordedEvent } from '@esdb-gater/types';
import type { StoreTail } from '../tail/store-tail.ts';
import type { LiveEvent, LiveEvents, LiveListener } from './live-events.ts';
import { compileSelection, type FollowSelection, type SelectableEvent } from './selection.ts';
import type { StreamPages } from './stream-pages.ts';

/** Who follows: where the events go, no faster than they are taken. */
export interface FollowSink {
  /** Returns whether an event may be sent now. */
  isReady(): boolean;
  /** Resolves when an event may be sent, or when the signal aborts. */
  whenReady(signal: AbortSignal): Promise<void>;
  /** Sends one event, encoded as JSON. */
  followed(eventText: string): void;
  /** Tells that every event up to `position` was sent. */
  caughtUp(position: number): void;
  /** Tells that events are read from the store again, from `position` on. Called only after `caughtUp`. */
  fellBehind(position: number): void;
  /** Tells that the follow cannot go on. */
  failed(error: GaterError): void;
}

/** Where a follow begins. */
export interface FollowStart extends FollowSelection {
  /** An exclusive position. */
  readonly after: number;
}

export interface FollowerComponents {
  readonly tail: StoreTail;
  readonly live: LiveEvents;
  readonly pages: StreamPages;
  readonly sink: FollowSink;
}

/**
 * Where a follower stands:
 *
 * - `behind`: it reads from the store;
 * - `live`: it has every event that the newest events had, and gets each new one at once;
 * - `held`: its reader is slow, and the next event is still among the newest ones.
 */
type State = 'behind' | 'live' | 'held';

/** One follow: reads from the store up to its end, then passes on the newest events, and again after it fell behind. */
export class Follower implements LiveListener {
  readonly streamId: string | undefined;
  readonly #components: FollowerComponents;
  readonly #isSelected: (event: SelectableEvent) => boolean;
  readonly #end = new AbortController();
  #query: EventQuery | undefined;
  #state: State = 'behind';
  /** Every selected event up to here was sent. */
  #position: number;
  /** The version that follows the last one that was sent, where that is known; only of a stream. */
  #nextVersion: number | undefined;
  /** True after `caughtUp`, until `fellBehind`. */
  #isCaughtUp = false;
  /** Wakes the loop when the follower is no longer live. */
  #wake: (() => void) | undefined;
  /** Ends the reading of pages that are no longer wanted. */
  #reading = new AbortController();
  #stopListening: () => void = () => {};

  constructor(components: FollowerComponents, { after, ...selection }: FollowStart) {
    this.#components = components;
    this.#query = selection.query;
    this.streamId = selection.streamId;
    this.#isSelected = compileSelection(selection);
    this.#position = after;
  }

  /** Follows until `close`. @throws only `invalid_argument` of a store that refuses the query */
  async run(newest: number): Promise<void> {
    const { signal } = this.#end;
    if (signal.aborted) return;
    this.#stopListening = this.#components.live.listen(this, newest);
    while (!signal.aborted) {
      if (this.#state === 'behind') await this.#catchUp();
      else if (this.#state === 'held') await this.#continue();
      else await this.#whileLive();
    }
  }

  close(): void {
    this.#end.abort();
    this.#reading.abort();
    this.#stopListening();
    this.#wake?.();
  }

  take(event: LiveEvent): void {
    if (this.#state !== 'live' || event.position <= this.#position || !this.#isSelected(event)) return;
    if (this.#components.sink.isReady()) this.#send(event, event.text);
    else this.#leaveLive('held', Math.max(this.#position, event.position - 1));
  }

  wentBack(position: number): void {
    this.#reading.abort();
    this.#nextVersion = undefined;
    this.#leaveLive('behind', Math.min(position, this.#position));
  }

  /** Reads from the store until its end is reached and the newest events continue from there. */
  async #catchUp(): Promise<void> {
    this.#fellBehind();
    this.#reading = new AbortController();
    const signal = AbortSignal.any([this.#end.signal, this.#reading.signal]);
    await this.#components.sink.whenReady(signal);
    if (signal.aborted) return;
    if (this.streamId === undefined) await this.#readStore(signal);
    else await this.#readStream(this.streamId, signal);
  }

  /** Sends what the store has after the position. Returns at its end, or to read a page again that was not taken. */
  async #readStore(signal: AbortSignal): Promise<void> {
    try {
      await this.#readPages(this.#query, signal);
    } catch (error) {
      if (this.#query === undefined || !GaterError.is(error) || error.code !== 'not_supported') throw error;
      // A worker of this store does not know queries: every event is read, and those that match are sent.
      this.#query = undefined;
    }
  }

  async #readPages(query: EventQuery | undefined, signal: AbortSignal): Promise<void> {
    const { tail, sink } = this.#components;
    const after = { position: this.#position };
    for await (const page of tail.read({ after, signal, ...(query === undefined ? {} : { query }) })) {
      if (signal.aborted) return;
      const { events, upTo, atEnd, wentBackTo } = page;
      if (wentBackTo !== undefined) this.#position = wentBackTo;
      if (!this.#sendAll(events)) return;
      this.#position = Math.max(this.#position, upTo);
      if (atEnd && this.#goLive()) return;
      await sink.whenReady(signal);
    }
  }

  async #readStream(streamId: string, signal: AbortSignal): Promise<void> {
    const { pages, live, sink } = this.#components;
    this.#nextVersion ??= await pages.firstVersionAfter(streamId, this.#position, signal);
    while (this.#nextVersion !== undefined && !signal.aborted) {
      // Every event up to here that the stream has is found by a read that begins now.
      const { position } = live;
      const part = await pages.read(streamId, this.#nextVersion, signal);
      if (part === undefined || signal.aborted) return;
      if (!this.#sendAll(part.events)) return;
      this.#nextVersion = part.nextVersion;
      if (part.atEnd) this.#position = Math.max(this.#position, position);
      if (part.atEnd && this.#goLive()) return;
      await sink.whenReady(signal);
    }
  }

  /** Returns false when the reader is slow and the rest must be read again later: pages are large, and not kept for it. */
  #sendAll(events: readonly RecordedEvent[]): boolean {
    const { sink } = this.#components;
    for (const event of events) {
      if (event.position <= this.#position || !this.#isSelected(event)) continue;
      if (!sink.isReady()) return false;
      this.#send(event, JSON.stringify(event));
    }
    return true;
  }

  #send({ position, version }: { readonly position: number; readonly version: number }, text: string): void {
    this.#components.sink.followed(text);
    this.#position = position;
    if (this.streamId !== undefined) this.#nextVersion = version + 1;
  }

  /** Continues from the newest events. Returns false when they no longer reach back to the position. */
  #goLive(): boolean {
    const { live, sink } = this.#components;
    const events = live.since(this.#position);
    if (events === undefined) return false;
    for (const event of events) {
      if (!this.#isSelected(event)) continue;
      if (!sink.isReady()) {
        this.#position = Math.max(this.#position, event.position - 1);
        this.#state = 'held';
        return true;
      }
      this.#send(event, event.text);
    }
    this.#state = 'live';
    this.#position = Math.max(this.#position, live.position);
    if (!this.#isCaughtUp) {
      this.#isCaughtUp = true;
      sink.caughtUp(this.#position);
    }
    return true;
  }

  async #continue(): Promise<void> {
    await this.#components.sink.whenReady(this.#end.signal);
    if (this.#end.signal.aborted || this.#state !== 'held') return;
    if (!this.#goLive()) this.#state = 'behind';
  }

  async #whileLive(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    await promise;
    this.#wake = undefined;
  }

  #leaveLive(state: State, position: number): void {
    this.#state = state;
    this.#position = position;
    this.#wake?.();
  }

  #fellBehind(): void {
    if (!this.#isCaughtUp) return;
    this.#isCaughtUp = false;
    this.#components.sink.fellBehind(this.#position);
  }
}
