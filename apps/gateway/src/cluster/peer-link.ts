import { InFlight, withLimit } from '@esdb-gater/primitives';
import type { CallOptions, Peer, PeerContext, PeerIdentity } from '@esdb-gater/protocol';
import type { Clock } from '@esdb-gater/types';
import { GaterError } from '@esdb-gater/types';

/** Serves what a proven node sends. */
export interface PeerHandlers {
  /** Answers a call of the node. */
  handle(link: PeerLink, method: string, params: unknown, context: PeerContext): unknown;
  /** Takes a notification of the node. Returns false for an unknown one. */
  notified(link: PeerLink, method: string, params: unknown): boolean;
}

export interface PeerLinkParts {
  readonly peer: Peer;
  /** Who the other side has proved to be. */
  readonly node: PeerIdentity;
  /** True when this node has opened the connection. */
  readonly isDialler: boolean;
  /** False for a node of an earlier version: a `storeUuid` in calls of workers is left out. */
  readonly takesStoreUuid: boolean;
  /** How many calls of this side may be in flight. */
  readonly maxInFlight: number;
  readonly bufferedBytes: () => number;
  readonly handlers: PeerHandlers;
  readonly clock: Clock;
}

/** Unsent bytes at which notifications are dropped: each is superseded by a later one. */
const MAX_NOTICE_BYTES = 4_194_304;

/** Unsent bytes at which calls of the other side are refused. */
const MAX_ANSWER_BYTES = 67_108_864;

/** A connection to another node after both sides have proved themselves. */
export class PeerLink {
  readonly node: PeerIdentity;
  readonly isDialler: boolean;
  readonly takesStoreUuid: boolean;
  /** Resolves when the connection has ended. */
  readonly closed: Promise<unknown>;
  readonly #parts: PeerLinkParts;
  readonly #calls: InFlight;
  #heardAt: number;
  #usedAt: number;
  #holders = 0;

  constructor(parts: PeerLinkParts) {
    this.#parts = parts;
    this.node = parts.node;
    this.isDialler = parts.isDialler;
    this.takesStoreUuid = parts.takesStoreUuid;
    this.closed = parts.peer.closed;
    this.#calls = new InFlight(parts.maxInFlight);
    this.#heardAt = parts.clock.monotonic();
    this.#usedAt = this.#heardAt;
  }

  /** By the monotonic clock, when a message last arrived. */
  get heardAt(): number {
    return this.#heardAt;
  }

  /** By the monotonic clock, when it last carried more than a sign of life. */
  get usedAt(): number {
    return this.#usedAt;
  }

  /** True while calls of either side wait for an answer, or something holds it. */
  get isBusy(): boolean {
    const { pending, inFlight } = this.#parts.peer.stats();
    return this.#holders > 0 || pending > 0 || inFlight > 0;
  }

  /** Keeps the link open. Returns a function that ends this. */
  hold(): () => void {
    this.#holders += 1;
    let isHeld = true;
    return () => {
      if (isHeld) this.#holders -= 1;
      isHeld = false;
    };
  }

  /** Returns the bytes that the other node has not read yet. */
  bufferedBytes(): number {
    return this.#parts.bufferedBytes();
  }

  /** Must be called for each message that arrives. */
  heard(): void {
    this.#heardAt = this.#parts.clock.monotonic();
  }

  /** Calls the other node; waits while too many calls are in flight. @throws as `Peer.call` */
  call(method: string, params: unknown, options: CallOptions = {}): Promise<unknown> {
    this.#used();
    const { peer, clock } = this.#parts;
    if (this.#calls.hasRoom) return this.#calls.run(() => peer.call(method, params, options));
    // The time that it waits is part of its limit.
    const { timeoutMs = Number.POSITIVE_INFINITY, signal } = options;
    return withLimit(
      (own) => this.#calls.run(() => peer.call(method, params, { ...options, signal: own }), own),
      { limitMs: timeoutMs, signal, clock },
    );
  }

  /** Sends a notification that a later one supersedes: it is dropped while the other node does not read. */
  notify(method: string, params: unknown): void {
    if (this.#parts.bufferedBytes() <= MAX_NOTICE_BYTES) this.#parts.peer.notify(method, params);
  }

  /** Sends a notification. The caller watches {@link bufferedBytes}. */
  send(method: string, params: unknown): void {
    this.#parts.peer.notify(method, params);
  }

  /** Handles a call of the other node. @throws `overloaded` while it does not read the answers */
  handle(method: string, params: unknown, context: PeerContext): unknown {
    this.#used();
    if (this.#parts.bufferedBytes() > MAX_ANSWER_BYTES) {
      throw new GaterError('overloaded', 'the other node does not read its answers fast enough');
    }
    return this.#parts.handlers.handle(this, method, params, context);
  }

  notified(method: string, params: unknown): boolean {
    return this.#parts.handlers.notified(this, method, params);
  }

  /** Counts as used: it is kept open for a while. */
  keep(): void {
    this.#used();
  }

  close(code = 1000, reason = ''): void {
    this.#parts.peer.close(code, reason);
  }

  #used(): void {
    this.#usedAt = this.#parts.clock.monotonic();
  }
}
