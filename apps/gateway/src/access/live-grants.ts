import { CLOSE_CODES } from '@esdb-gater/protocol';
import { type Clock, GaterError, type Timer } from '@esdb-gater/types';
import type { VerifiedGrant } from './grants.ts';

/** Why a live connection must end. */
export interface GrantEnd {
  readonly code: typeof CLOSE_CODES.unauthorized | typeof CLOSE_CODES.forbidden;
  readonly reason: string;
}

/**
 * The tokens that a live connection depends on: its own, and those of single calls that created a subscription or
 * registered a worker. The connection ends when one of them ends.
 */
export interface LiveGrants {
  /**
   * Returns the connection's own token, for a call. A connection with an expired token is ended first, even if its
   * timer has not fired: the clock may have jumped.
   *
   * @throws `unauthorized`, reason `expired`
   */
  current(): VerifiedGrant | undefined;
  /**
   * Replaces the connection's own token, which from now on also authorises all existing subscriptions and workers that
   * it covers.
   */
  replace(grant: VerifiedGrant): void;
  /** Ties something that lasts, under a key of the caller's, to the token that authorised it. */
  hold(key: string, grant: VerifiedGrant, stillAllowed: (grant: VerifiedGrant) => boolean): void;
  release(key: string): void;
  /** Ends the connection if one of its tokens is revoked. Costs one check for each distinct token. */
  recheck(): void;
  close(): void;
}

/** A token and its dependents. */
interface Token {
  readonly grant: VerifiedGrant;
  /** The number of subscriptions and workers that it authorises. */
  held: number;
}

interface Held {
  readonly token: Token;
  readonly stillAllowed: (grant: VerifiedGrant) => boolean;
}

/** The end of a token is wall-clock time, and that clock may jump: the next check is at most this far ahead. */
const MAX_CHECK_MS = 5_000;

export function createLiveGrants(clock: Clock, end: (why: GrantEnd) => void): LiveGrants {
  return new ConnectionGrants(clock, end);
}

class ConnectionGrants implements LiveGrants {
  readonly #clock: Clock;
  readonly #end: (why: GrantEnd) => void;
  /** Both are created with the first dependent: most connections do not need them. */
  #held: Map<string, Held> | undefined;
  /** The tokens by which something is held, by id. */
  #tokens: Map<string, Token> | undefined;
  #current: VerifiedGrant | undefined;
  /** Unix milliseconds at which the first token ends, or sooner: it is not put off when a token is released. */
  #firstEndMs = Number.POSITIVE_INFINITY;
  #timer: Timer | undefined;
  #closed = false;

  constructor(clock: Clock, end: (why: GrantEnd) => void) {
    this.#clock = clock;
    this.#end = end;
  }

  current(): VerifiedGrant | undefined {
    if (this.#clock.now() >= this.#firstEndMs) {
      this.#check();
      if (this.#closed) {
        throw new GaterError('unauthorized', 'a token of this connection has ended', {
          details: { reason: 'expired' },
        });
      }
    }
    return this.#current;
  }

  replace(grant: VerifiedGrant): void {
    this.#current = grant;
    if (this.#endIfRevoked(grant)) return;
    for (const [key, { token, stillAllowed }] of this.#held ?? []) {
      if (token.grant.cid !== grant.cid && stillAllowed(grant)) this.#tie(key, grant, stillAllowed);
    }
    // The former token no longer counts.
    this.#check();
  }

  hold(key: string, grant: VerifiedGrant, stillAllowed: (grant: VerifiedGrant) => boolean): void {
    const isNew = this.#tie(key, grant, stillAllowed);
    // A token that was revoked while this call ran was not here to be checked.
    if (isNew && !this.#endIfRevoked(grant) && this.#endMsOf(grant) < this.#firstEndMs) this.#check();
  }

  release(key: string): void {
    const held = this.#held?.get(key);
    if (held === undefined) return;
    this.#held?.delete(key);
    this.#drop(held.token);
  }

  recheck(): void {
    for (const grant of this.#all()) if (this.#endIfRevoked(grant)) return;
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  /** Returns true when this token had no dependents before. */
  #tie(key: string, grant: VerifiedGrant, stillAllowed: Held['stillAllowed']): boolean {
    this.#held ??= new Map();
    this.#tokens ??= new Map();
    let token = this.#tokens.get(grant.cid);
    const isNew = token === undefined;
    if (token === undefined) {
      token = { grant, held: 0 };
      this.#tokens.set(grant.cid, token);
    }
    token.held += 1;
    const former = this.#held.get(key);
    this.#held.set(key, { token, stillAllowed });
    if (former !== undefined) this.#drop(former.token);
    return isNew;
  }

  #drop(token: Token): void {
    token.held -= 1;
    if (token.held === 0) this.#tokens?.delete(token.grant.cid);
  }

  #endIfRevoked(grant: VerifiedGrant): boolean {
    if (!grant.isRevoked()) return false;
    this.#finish({ code: CLOSE_CODES.forbidden, reason: 'the token was revoked' });
    return true;
  }

  *#all(): Iterable<VerifiedGrant> {
    if (this.#current !== undefined) yield this.#current;
    for (const { grant } of this.#tokens?.values() ?? []) yield grant;
  }

  #endMsOf(grant: VerifiedGrant): number {
    return grant.expiresAt * 1_000;
  }

  /** Ends the connection if a token has ended, and plans the next check. */
  #check(): void {
    this.#timer?.cancel();
    if (this.#closed) return;
    this.#firstEndMs = Number.POSITIVE_INFINITY;
    for (const grant of this.#all()) this.#firstEndMs = Math.min(this.#firstEndMs, this.#endMsOf(grant));
    if (this.#firstEndMs === Number.POSITIVE_INFINITY) return;
    const delayMs = this.#firstEndMs - this.#clock.now();
    if (delayMs <= 0) {
      this.#finish({ code: CLOSE_CODES.unauthorized, reason: 'the token has ended' });
      return;
    }
    this.#timer = this.#clock.setTimer(() => this.#check(), Math.min(delayMs, MAX_CHECK_MS), { unref: true });
  }

  #finish(why: GrantEnd): void {
    if (this.#closed) return;
    this.close();
    this.#end(why);
  }
}
