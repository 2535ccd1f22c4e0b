import type { FollowOptions } from '@esdb-gater/gater';
import { onAbort, requireNumber } from '@esdb-gater/primitives';
import type { FollowEventsParams, FollowedEvent, FollowNotice } from '@esdb-gater/protocol';
import { calculateDelay, type RetryPolicy } from '@esdb-gater/retry';
import { type Clock, GaterError } from '@esdb-gater/types';
import { type FollowOwner, LocalFollow } from './local-follow.ts';

/** How a hub follows and ends a follow. */
export interface FollowLink {
  /**
   * Follows. Calls `onResult` when the answer is received, before any later notification is handled.
   *
   * @throws `unavailable` when there is no connection or it breaks before the answer
   */
  follow(
    params: FollowEventsParams,
    options: { readonly token?: string; readonly onResult: (followId: string) => void },
  ): Promise<unknown>;
  /** Ends a follow if there is a connection. Never throws. */
  unfollow(followId: string): void;
}

export interface FollowHubComponents {
  readonly link: FollowLink;
  readonly clock: Clock;
  readonly random: () => number;
  /** Delays between attempts to follow again. */
  readonly policy: RetryPolicy;
}

const BUFFER = { reason: 'follow_options', above: 0, max: Number.POSITIVE_INFINITY } as const;

/** Validates the buffer of a follow and adds the defaults. @throws `invalid_argument` (reason `follow_options`) */
export function resolveFollowBuffer(options: FollowOptions): {
  readonly bufferEvents: number;
  readonly bufferBytes: number;
} {
  const { bufferEvents = 10_000, bufferBytes = 16 * 1_048_576 } = options;
  return {
    bufferEvents: requireNumber('bufferEvents', bufferEvents, BUFFER),
    bufferBytes: requireNumber('bufferBytes', bufferBytes, BUFFER),
  };
}

/** The follows of one connection. Passes each event to its follow, and follows all of them again after a reconnect. */
export class FollowHub implements FollowOwner {
  readonly #components: FollowHubComponents;
  readonly #follows = new Set<LocalFollow>();
  readonly #byId = new Map<string, LocalFollow>();
  readonly #stopListening = new Map<LocalFollow, () => void>();
  #connected = false;
  #closed: { readonly failure: { readonly error: unknown } | undefined } | undefined;

  constructor(components: FollowHubComponents) {
    this.#components = components;
  }

  /** Creates a follow, which begins with the first event that is asked for. @throws `invalid_argument` (reason `follow_options`) */
  open(params: FollowEventsParams, options: FollowOptions = {}): LocalFollow {
    const { token, onCaughtUp, signal } = options;
    const follow = new LocalFollow(params, this, { ...resolveFollowBuffer(options), token, onCaughtUp });
    this.#stopListening.set(
      follow,
      onAbort(signal, () => this.remove(follow)),
    );
    return follow;
  }

  start(follow: LocalFollow): void {
    if (follow.ended) return;
    if (this.#closed !== undefined) {
      this.#finish(follow, this.#closed.failure);
      return;
    }
    this.#follows.add(follow);
    if (this.#connected) this.#ask(follow, 0);
  }

  /** Follows everything again, from the last events. */
  connected(): void {
    if (this.#closed !== undefined) return;
    this.#connected = true;
    for (const follow of this.#follows) if (follow.stage === 'absent') this.#ask(follow, 0);
  }

  /** Handles the loss of the connection. */
  disconnected(): void {
    this.#connected = false;
    this.#byId.clear();
    for (const follow of this.#follows) follow.detached();
  }

  /** Ends every follow; with `failure`, by its error. */
  close(failure?: { readonly error: unknown }): void {
    if (this.#closed !== undefined) return;
    this.#closed = { failure };
    this.#connected = false;
    for (const follow of [...this.#follows]) this.#finish(follow, failure);
  }

  /**
   * Takes `followed`, `caughtUp` and `fellBehind`. Returns false for a follow that this hub does not have.
   *
   * @param units the length of the frame
   */
  notified(method: string, params: unknown, units: number): boolean {
    const { followId, event, position } = params as Partial<FollowedEvent & FollowNotice>;
    const follow = followId === undefined ? undefined : this.#byId.get(followId);
    if (follow === undefined) return false;
    if (method === 'followed' && event !== undefined) follow.followed(event, units);
    else if (method === 'caughtUp' && position !== undefined) follow.caughtUp(position);
    else if (method === 'fellBehind' && position !== undefined) follow.fellBehind(position);
    return true;
  }

  pause(follow: LocalFollow): void {
    this.#leave(follow);
    follow.stage = 'paused';
  }

  resume(follow: LocalFollow): void {
    follow.stage = 'absent';
    if (this.#connected) this.#ask(follow, 0);
  }

  remove(follow: LocalFollow): void {
    this.#leave(follow);
    this.#finish(follow);
  }

  /** Ends the follow at the gateway, if that knows it. */
  #leave(follow: LocalFollow): void {
    const { followId } = follow;
    follow.generation++;
    follow.followId = undefined;
    if (followId === undefined || !this.#byId.delete(followId)) return;
    this.#components.link.unfollow(followId);
  }

  #finish(follow: LocalFollow, failure?: { readonly error: unknown }): void {
    this.#follows.delete(follow);
    if (follow.followId !== undefined) this.#byId.delete(follow.followId);
    this.#stopListening.get(follow)?.();
    this.#stopListening.delete(follow);
    follow.end(failure);
  }

  /** @param failures how many attempts in a row have failed */
  #ask(follow: LocalFollow, failures: number): void {
    follow.stage = 'asked';
    const generation = ++follow.generation;
    const { token, params } = follow;
    const answer = this.#components.link.follow(params, {
      ...(token === undefined ? {} : { token }),
      onResult: (followId) => this.#accepted(follow, generation, followId),
    });
    answer.then(undefined, (error: unknown) => this.#failed(follow, generation, failures, error));
  }

  #accepted(follow: LocalFollow, generation: number, followId: string): void {
    if (follow.generation !== generation) {
      this.#components.link.unfollow(followId);
      return;
    }
    follow.stage = 'active';
    follow.isAccepted = true;
    follow.followId = followId;
    this.#byId.set(followId, follow);
  }

  #failed(follow: LocalFollow, generation: number, failures: number, error: unknown): void {
    if (follow.generation !== generation) return;
    if (!this.#isPassing(follow, error)) {
      this.#finish(follow, { error });
      return;
    }
    follow.stage = 'absent';
    if (!this.#connected) return;
    const { clock, policy, random } = this.#components;
    clock.setTimer(
      () => {
        const still = follow.generation === generation && follow.stage === 'absent';
        if (still && this.#connected) this.#ask(follow, failures + 1);
      },
      calculateDelay(failures, policy, random),
      { unref: true },
    );
  }

  /** A gateway that has just started does not know a store before its worker is back. */
  #isPassing({ isAccepted }: LocalFollow, error: unknown): boolean {
    return GaterError.is(error) && (error.retriable || (isAccepted && error.code === 'store_not_found'));
  }
}
