import { requireNumber } from '@esdb-gater/primitives';
import { type Clock, GaterError, systemClock } from '@esdb-gater/types';
import { invalidSignature } from './signature-error.ts';

export interface NonceCacheComponents {
  /** @default the system's */
  readonly clock?: Pick<Clock, 'monotonic'>;
}

export interface NonceCacheOptions {
  /**
   * How long a nonce is remembered: the lifetime of messages plus the 60 s that a clock may be ahead.
   *
   * @default 360 000
   */
  readonly lifetimeMs?: number;
  /** About 100 bytes each. @default 1 000 000 */
  readonly maxEntries?: number;
}

/** Accepts each nonce once within its lifetime. */
export interface NonceCache {
  readonly size: number;
  /**
   * Takes the nonce. Call the returned function to release it when a later step refuses the message; a second call has
   * no effect. Amortised O(1).
   *
   * @throws `invalid_signature`, reason `replayed`; `overloaded` when the maximum number of nonces is still alive,
   * since removing one of them early would allow a replay
   */
  take(nonce: string): () => void;
}

class FifoNonceCache implements NonceCache {
  /** Nonce to the moment it ends. All live equally long, so that the order of insertion is that of the ends. */
  readonly #ends: Map<string, number> = new Map();
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #lifetimeMs: number;
  readonly #maxEntries: number;

  constructor(clock: Pick<Clock, 'monotonic'>, lifetimeMs: number, maxEntries: number) {
    this.#clock = clock;
    this.#lifetimeMs = lifetimeMs;
    this.#maxEntries = maxEntries;
  }

  get size(): number {
    return this.#ends.size;
  }

  take(nonce: string): () => void {
    const now = this.#clock.monotonic();
    for (const [oldest, end] of this.#ends) {
      if (end > now) break;
      this.#ends.delete(oldest);
    }
    if (this.#ends.has(nonce)) {
      throw invalidSignature('replayed', 'the nonce of the message was accepted before');
    }
    if (this.#ends.size >= this.#maxEntries) {
      throw new GaterError('overloaded', `${this.#maxEntries} nonces are remembered, which is the bound`);
    }
    this.#ends.set(nonce, now + this.#lifetimeMs);
    let taken = true;
    return () => {
      if (taken) this.#ends.delete(nonce);
      taken = false;
    };
  }
}

const POSITIVE = { reason: 'range', above: 0 } as const;

/** @throws `invalid_argument`, reason `range` */
export function createNonceCache(
  components: NonceCacheComponents = {},
  options: NonceCacheOptions = {},
): NonceCache {
  const lifetimeMs = requireNumber('lifetimeMs', options.lifetimeMs ?? 360_000, POSITIVE);
  const maxEntries = requireNumber('maxEntries', options.maxEntries ?? 1_000_000, POSITIVE);
  return new FifoNonceCache(components.clock ?? systemClock, lifetimeMs, maxEntries);
}
