import { CLOSE_CODES } from '@esdb-gater/protocol';
import type { Clock, Timer } from '@esdb-gater/types';
import type { VerifiedGrant } from './grants.ts';

/** Why a live connection must end. */
export interface GrantEnd {
  readonly code: typeof CLOSE_CODES.unauthorized | typeof CLOSE_CODES.forbidden;
  readonly reason: string;
}

/**
 * The tokens that a live connection stands on: its own, and those of single calls that began something lasting. The
 * connection ends when one of them does.
 */
export interface LiveGrants {
  /** The connection's own token. */
  readonly current: VerifiedGrant | undefined;
  /** Replaces the connection's own token; what it covers of the things that last stands on it from now on. */
  replace(grant: VerifiedGrant): void;
  /** Something that lasts and was allowed by `grant`, under a key of the caller's. */
  hold(key: string, grant: VerifiedGrant, stillAllowed: (grant: VerifiedGrant) => boolean): void;
  release(key: string): void;
  /** To be called when a revocation came. */
  recheck(): void;
  close(): void;
}

interface Held {
  readonly grant: VerifiedGrant;
  readonly stillAllowed: (grant: VerifiedGrant) => boolean;
}

export function createLiveGrants(clock: Clock, end: (why: GrantEnd) => void): LiveGrants {
  return new Grants(clock, end);
}

class Grants implements LiveGrants {
  readonly #clock: Clock;
  readonly #end: (why: GrantEnd) => void;
  /** Made when the first is held: most connections need none. */
  #held: Map<string, Held> | undefined;
  #current: VerifiedGrant | undefined;
  #timer: Timer | undefined;
  #closed = false;

  constructor(clock: Clock, end: (why: GrantEnd) => void) {
    this.#clock = clock;
    this.#end = end;
  }

  get current(): VerifiedGrant | undefined {
    return this.#current;
  }

  replace(grant: VerifiedGrant): void {
    this.#current = grant;
    if (this.#endIfRevoked(grant)) return;
    for (const [key, { stillAllowed }] of this.#held ?? []) {
      if (stillAllowed(grant)) this.#held?.set(key, { grant, stillAllowed });
    }
    this.#schedule();
  }

  hold(key: string, grant: VerifiedGrant, stillAllowed: (grant: VerifiedGrant) => boolean): void {
    this.#held ??= new Map();
    this.#held.set(key, { grant, stillAllowed });
    // What was being made when the revocation came was not yet here to be asked about.
    if (!this.#endIfRevoked(grant)) this.#schedule();
  }

  release(key: string): void {
    if (this.#held?.delete(key) === true) this.#schedule();
  }

  recheck(): void {
    for (const grant of this.#all()) if (this.#endIfRevoked(grant)) return;
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #endIfRevoked(grant: VerifiedGrant): boolean {
    if (!grant.isRevoked()) return false;
    this.#finish({ code: CLOSE_CODES.forbidden, reason: 'the token was revoked' });
    return true;
  }

  #all(): VerifiedGrant[] {
    const grants = [...(this.#held?.values() ?? [])].map(({ grant }) => grant);
    return this.#current === undefined ? grants : [this.#current, ...grants];
  }

  #schedule(): void {
    this.#timer?.cancel();
    const ends = this.#all().map((grant) => grant.expiresAt);
    if (this.#closed || ends.length === 0) return;
    // The end of a token is wall-clock time, and that clock may jump: no further than a minute ahead is planned.
    const delayMs = Math.min(...ends) * 1_000 - this.#clock.now();
    if (delayMs <= 0) {
      this.#finish({ code: CLOSE_CODES.unauthorized, reason: 'the token has ended' });
      return;
    }
    this.#timer = this.#clock.setTimer(() => this.#schedule(), Math.min(delayMs, 60_000), { unref: true });
  }

  #finish(why: GrantEnd): void {
    if (this.#closed) return;
    this.close();
    this.#end(why);
  }
}
