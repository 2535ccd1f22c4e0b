import type { Follow, FollowSink } from '@esdb-gater/event-store';
import { onAbort } from '@esdb-gater/primitives';
import { encodeNotification, type ParamsOf, type ResultOf } from '@esdb-gater/protocol';
import { GaterError } from '@esdb-gater/types';
import type { OutboundBudget } from '../access/outbound-budget.ts';
import type { FollowHost } from '../stores/follow-host.ts';
import type { FrameWriter } from './frame-writer.ts';

export interface ConnectionFollowsComponents {
  readonly host: FollowHost;
  readonly writer: Pick<FrameWriter, 'text' | 'bufferedBytes'>;
  readonly outbound: Pick<OutboundBudget, 'hasRoom' | 'whenRoom' | 'wrote'>;
  /** Is called when a follow cannot go on: the client must not wait for ever. */
  readonly onFailed: () => void;
}

/** The follows of one connection. Its client holds all of them back when it reads slowly. */
export interface ConnectionFollows {
  /** Adds a follow. Its events are sent after `answered`. @throws `overloaded` and what `FollowHost.follow` throws */
  follow(params: ParamsOf<'followEvents'>): Promise<ResultOf<'followEvents'>>;
  unfollow(followId: string): boolean;
  /** Must be called once an answer to `followEvents` was sent. */
  answered(): void;
  /** Must be called when the socket can take more output. */
  drained(): void;
  close(): void;
}

/** Follows of one connection. */
const MAX_FOLLOWS = 1_000;

/** Unsent bytes at which the events wait in the store. */
const MAX_UNSENT_BYTES = 524_288;

export function createConnectionFollows(components: ConnectionFollowsComponents): ConnectionFollows {
  return new SessionFollows(components);
}

class SessionFollows implements ConnectionFollows {
  readonly #components: ConnectionFollowsComponents;
  readonly #follows = new Map<string, Follow>();
  /** Follows whose answer is not sent yet. */
  #unanswered: Follow[] = [];
  /** Follows that are being checked. */
  #starting = 0;
  #lastId = 0;
  #closed = false;
  /** Follows that wait until they may send. */
  readonly #waiting = new Set<() => void>();
  #waitsForRoom = false;

  constructor(components: ConnectionFollowsComponents) {
    this.#components = components;
  }

  async follow(params: ParamsOf<'followEvents'>): Promise<ResultOf<'followEvents'>> {
    if (this.#follows.size + this.#starting >= MAX_FOLLOWS) {
      throw new GaterError('overloaded', `a connection may have at most ${MAX_FOLLOWS} follows`);
    }
    const { storeId, after = 0, ...rest } = params;
    const followId = String(++this.#lastId);
    this.#starting += 1;
    try {
      const follow = await this.#components.host.follow(storeId, { after, ...rest }, this.#sinkOf(followId));
      if (this.#closed) {
        follow.close();
        throw new GaterError('unavailable', 'the connection has ended');
      }
      this.#follows.set(followId, follow);
      this.#unanswered.push(follow);
      return { followId };
    } finally {
      this.#starting -= 1;
    }
  }

  unfollow(followId: string): boolean {
    this.#follows.get(followId)?.close();
    return this.#follows.delete(followId);
  }

  answered(): void {
    const follows = this.#unanswered;
    this.#unanswered = [];
    for (const follow of follows) follow.begin();
  }

  drained(): void {
    if (this.#waiting.size === 0) return;
    if (this.#isReady()) this.#wake();
    else this.#waitForRoom();
  }

  close(): void {
    this.#closed = true;
    for (const follow of this.#follows.values()) follow.close();
    this.#follows.clear();
    this.#wake();
  }

  #sinkOf(followId: string): FollowSink {
    const { writer, outbound, onFailed } = this.#components;
    const head = `{"jsonrpc":"2.0","method":"followed","params":{"followId":${JSON.stringify(followId)},"event":`;
    const notify = (method: string, position: number): void =>
      writer.text(encodeNotification(method, { followId, position }));
    return {
      isReady: () => this.#isReady(),
      whenReady: (signal) => this.#whenReady(signal),
      followed(eventText) {
        outbound.wrote(eventText.length);
        writer.text(`${head}${eventText}}}`);
      },
      caughtUp: (position) => notify('caughtUp', position),
      fellBehind: (position) => notify('fellBehind', position),
      failed: onFailed,
    };
  }

  #isReady(): boolean {
    const { writer, outbound } = this.#components;
    const unsent = writer.bufferedBytes();
    return unsent < MAX_UNSENT_BYTES && outbound.hasRoom(unsent > 0);
  }

  async #whenReady(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !this.#isReady()) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.add(resolve);
      const stopListening = onAbort(signal, () => resolve());
      // With output in the socket its `drain` is certain to come.
      if (this.#components.writer.bufferedBytes() === 0) this.#waitForRoom();
      await promise;
      stopListening();
      this.#waiting.delete(resolve);
    }
  }

  #waitForRoom(): void {
    if (this.#waitsForRoom || this.#closed) return;
    this.#waitsForRoom = true;
    this.#components.outbound.whenRoom(() => {
      this.#waitsForRoom = false;
      this.#wake();
    });
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
  }
}
