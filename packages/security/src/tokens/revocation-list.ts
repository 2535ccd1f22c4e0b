import { type Clock, GaterError, invalidArgument, systemClock } from '@esdb-gater/types';
import { isPlainObject } from '../arguments.ts';
import type { IsRevoked } from './chain.ts';
import { TOKEN_LIMITS } from './claims.ts';
import { type Revocation, type VerifiedRevocation, verifyRevocation } from './revocation.ts';

export interface RevocationListComponents {
  /** @default the system's */
  readonly clock?: Pick<Clock, 'now'>;
}

export interface RevocationListOptions {
  /** The roots, who may revoke anything. */
  readonly trustedIssuers: readonly string[];
  /** Revocations of tokens by others than roots that are kept at once. @default 100 000 */
  readonly maxEntries?: number;
}

/** A revocation and when this list took it: what is written down. */
export interface StoredRevocation {
  readonly revocation: Revocation;
  /** Unix milliseconds. */
  readonly addedAt: number;
}

/** The revocations that have, or may have, effect here. */
export interface RevocationList {
  readonly size: number;
  /**
   * Takes a revocation, proof checked. Gives `undefined` when it is known already, or without effect: an issuer
   * revoked by neither itself nor a root. One of a token is kept although nobody knows yet whether `by` has issued
   * it; `isRevoked` knows, with the token in hand.
   *
   * @throws as `verifyRevocation`, and `overloaded` when there are too many by others than roots
   */
  add(revocation: unknown): VerifiedRevocation | undefined;
  /** For `verifyToken` and `isTokenRevoked`. O(1). */
  readonly isRevoked: IsRevoked;
  /** All that is alive, the oldest first. */
  toJSON(): StoredRevocation[];
}

/** A token lives a day at most, and so does what revokes it; the rest is for clocks that differ. */
const TOKEN_REVOCATION_MS: number = (TOKEN_LIMITS.maxLifetimeSeconds + 3_600) * 1_000;

interface Entry extends StoredRevocation {
  readonly verified: VerifiedRevocation;
}

class MemoryRevocationList implements RevocationList {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #roots: ReadonlySet<string>;
  readonly #maxEntries: number;
  /** By who and what, in the order of coming. */
  readonly #entries: Map<string, Entry> = new Map();
  /** Who has revoked a subject. */
  readonly #bySubject: Map<string, Set<string>> = new Map();
  /** Of tokens, by others than roots. */
  #bounded: number = 0;

  constructor(clock: Pick<Clock, 'now'>, roots: ReadonlySet<string>, maxEntries: number) {
    this.#clock = clock;
    this.#roots = roots;
    this.#maxEntries = maxEntries;
  }

  get size(): number {
    return this.#entries.size;
  }

  add(revocation: unknown): VerifiedRevocation | undefined {
    return this.restore(verifyRevocation(revocation), this.#clock.now());
  }

  restore(verified: VerifiedRevocation, addedAt: number): VerifiedRevocation | undefined {
    this.#forget();
    const { kind, subject, by } = verified;
    const name = `${by} ${subject}`;
    if (this.#entries.has(name)) return undefined;
    if (kind === 'iss' && by !== subject && !this.#roots.has(by)) return undefined;
    if (this.#isBounded(verified) && this.#bounded >= this.#maxEntries) {
      throw new GaterError('overloaded', `${this.#maxEntries} revocations by others than roots are kept`);
    }
    this.#entries.set(name, { verified, revocation: verified.revocation, addedAt });
    const sayers = this.#bySubject.get(subject) ?? new Set();
    this.#bySubject.set(subject, sayers.add(by));
    if (this.#isBounded(verified)) this.#bounded++;
    return verified;
  }

  readonly isRevoked: IsRevoked = (subject, _kind, issuers) => {
    const sayers = this.#bySubject.get(subject);
    if (sayers === undefined) return false;
    for (const by of sayers) if (this.#roots.has(by) || issuers.includes(by)) return true;
    return false;
  };

  toJSON(): StoredRevocation[] {
    this.#forget();
    return [...this.#entries.values()].map(({ revocation, addedAt }) => ({ revocation, addedAt }));
  }

  #isBounded({ kind, by }: VerifiedRevocation): boolean {
    return kind === 'cid' && !this.#roots.has(by);
  }

  /** Drops what revokes tokens that have ended by themselves. Those of issuers stay. */
  #forget(): void {
    const oldest = this.#clock.now() - TOKEN_REVOCATION_MS;
    for (const [name, { verified, addedAt }] of this.#entries) {
      if (addedAt > oldest) break;
      if (verified.kind === 'iss') continue;
      this.#entries.delete(name);
      const sayers = this.#bySubject.get(verified.subject);
      sayers?.delete(verified.by);
      if (sayers?.size === 0) this.#bySubject.delete(verified.subject);
      if (this.#isBounded(verified)) this.#bounded--;
    }
  }
}

function storedRevocation(value: unknown): { verified: VerifiedRevocation; addedAt: number } {
  const { revocation, addedAt } = isPlainObject(value) ? value : {};
  if (typeof addedAt !== 'number' || !Number.isFinite(addedAt)) {
    throw invalidArgument('revocation', 'a stored revocation must be { revocation, addedAt }');
  }
  return { verified: verifyRevocation(revocation), addedAt };
}

/**
 * The list of a gateway. To outlive the process, write `toJSON()` down after each `add` that gave something, and
 * hand it in as `stored` at the next start; proofs are checked again.
 *
 * @throws `invalid_argument`, reason `revocation`, and `unauthorized`, reason `invalid_signature`, for what was
 * stored and is not good
 */
export function createRevocationList(
  components: RevocationListComponents,
  options: RevocationListOptions,
  stored: readonly unknown[] = [],
): RevocationList {
  const list = new MemoryRevocationList(
    components.clock ?? systemClock,
    new Set(options.trustedIssuers),
    options.maxEntries ?? 100_000,
  );
  for (const value of stored) {
    const { verified, addedAt } = storedRevocation(value);
    list.restore(verified, addedAt);
  }
  return list;
}
