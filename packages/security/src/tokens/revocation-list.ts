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
  /** The trusted issuers, who may revoke anything. Their revocations are not limited. */
  readonly trustedIssuers: readonly string[];
  /**
   * Returns whether a DID has issued, or may issue, tokens that are accepted here. Anybody can make keys and revoke with
   * them, so the revocations of all others are limited by their sender. @default nobody is known
   */
  readonly isKnownIssuer?: (did: string) => boolean;
  /** The most revocations of tokens, by all unknown issuers together. @default 100 000 */
  readonly maxEntries?: number;
  /** The most revocations of tokens by one issuer. @default 10 000 */
  readonly maxPerIssuer?: number;
  /** The most revocations by unknown issuers that one sender may add. @default no limit */
  readonly maxPerSender?: number;
}

/** A revocation and when this list took it, as it is stored. */
export interface StoredRevocation {
  readonly revocation: Revocation;
  /** Unix milliseconds. */
  readonly addedAt: number;
}

/** Stores the revocations that have, or may have, an effect here. */
export interface RevocationList {
  readonly size: number;
  /**
   * Adds a revocation after checking its proof. Returns `undefined` when it is already known, or has no effect: an
   * issuer can be revoked only by itself or by a root. A revocation of a token is stored even if `by` may not have
   * issued that token; `isRevoked` decides that when it has the token.
   *
   * @param sender the sender, such as a remote address, whose limit an unknown issuer counts towards. @default nobody's
   * @throws as `verifyRevocation`, and `overloaded` when a limit is reached
   */
  add(revocation: unknown, sender?: string): VerifiedRevocation | undefined;
  /** Returns the stored revocation of `subject` by `by`. */
  find(by: string, subject: string): VerifiedRevocation | undefined;
  /** For `verifyToken` and `isTokenRevoked`. O(1). */
  readonly isRevoked: IsRevoked;
  /** Returns all stored revocations, the oldest first. */
  toJSON(): StoredRevocation[];
}

/**
 * A token is valid for a day at most, and a revocation of it is needed as long; the margin allows for differing clocks.
 */
const TOKEN_REVOCATION_MS: number = (TOKEN_LIMITS.maxLifetimeSeconds + 3_600) * 1_000;

interface Entry extends StoredRevocation {
  readonly verified: VerifiedRevocation;
  /** The counts that it adds to. */
  readonly accounts: readonly Account[];
}

/** A count of entries and its limit. */
interface Account {
  readonly name: string;
  readonly max: number;
}

type Limits = Required<Omit<RevocationListOptions, 'trustedIssuers'>>;

class MemoryRevocationList implements RevocationList {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #roots: ReadonlySet<string>;
  readonly #limits: Limits;
  /** By revoker and subject, in the order of arrival. They expire. */
  readonly #ofTokens: Map<string, Entry> = new Map();
  /** The same for issuers. These do not expire: the expiry of an issuer's last token is unknown. */
  readonly #ofIssuers: Map<string, Entry> = new Map();
  /** The revokers of each subject. */
  readonly #bySubject: Map<string, Set<string>> = new Map();
  /** The entries of each account. */
  readonly #counts: Map<string, number> = new Map();

  constructor(clock: Pick<Clock, 'now'>, roots: ReadonlySet<string>, limits: Limits) {
    this.#clock = clock;
    this.#roots = roots;
    this.#limits = limits;
  }

  get size(): number {
    return this.#ofTokens.size + this.#ofIssuers.size;
  }

  add(revocation: unknown, sender?: string): VerifiedRevocation | undefined {
    return this.restore(verifyRevocation(revocation), this.#clock.now(), sender);
  }

  restore(
    verified: VerifiedRevocation,
    addedAt: number,
    sender?: string,
    acknowledged = false,
  ): VerifiedRevocation | undefined {
    this.#forget();
    const { kind, subject, by } = verified;
    const name = nameOf(by, subject);
    if (this.find(by, subject) !== undefined) return undefined;
    if (kind === 'iss' && by !== subject && !this.#roots.has(by)) return undefined;
    const accounts = this.#accountsOf(verified, sender);
    for (const { name: account, max } of accounts) {
      if (!acknowledged && (this.#counts.get(account) ?? 0) >= max) {
        throw new GaterError('overloaded', `the limit of ${max} revocations by ${account} is reached`);
      }
    }
    const entries = kind === 'cid' ? this.#ofTokens : this.#ofIssuers;
    entries.set(name, { verified, revocation: verified.revocation, addedAt, accounts });
    const revokers = this.#bySubject.get(subject) ?? new Set();
    this.#bySubject.set(subject, revokers.add(by));
    for (const account of accounts) this.#count(account, 1);
    return verified;
  }

  find(by: string, subject: string): VerifiedRevocation | undefined {
    const name = nameOf(by, subject);
    return (this.#ofTokens.get(name) ?? this.#ofIssuers.get(name))?.verified;
  }

  readonly isRevoked: IsRevoked = (subject, _kind, issuers) => {
    const revokers = this.#bySubject.get(subject);
    if (revokers === undefined) return false;
    for (const by of revokers) if (this.#roots.has(by) || issuers.includes(by)) return true;
    return false;
  };

  toJSON(): StoredRevocation[] {
    this.#forget();
    return [...this.#ofTokens.values(), ...this.#ofIssuers.values()]
      .map(({ revocation, addedAt }) => ({ revocation, addedAt }))
      .sort((a, b) => a.addedAt - b.addedAt);
  }

  #accountsOf({ kind, by }: VerifiedRevocation, sender: string | undefined): readonly Account[] {
    if (this.#roots.has(by)) return [];
    const { isKnownIssuer, maxEntries, maxPerIssuer, maxPerSender } = this.#limits;
    const ofIssuer: readonly Account[] = kind === 'cid' ? [{ name: `issuer ${by}`, max: maxPerIssuer }] : [];
    if (isKnownIssuer(by)) return ofIssuer;
    return [
      ...ofIssuer,
      // One map for each kind, since only one kind expires.
      { name: kind === 'cid' ? 'unknown issuers' : 'unknown issuers of themselves', max: maxEntries },
      ...(sender === undefined ? [] : [{ name: `sender ${sender}`, max: maxPerSender }]),
    ];
  }

  #count({ name }: Account, change: number): void {
    const count = (this.#counts.get(name) ?? 0) + change;
    if (count === 0) this.#counts.delete(name);
    else this.#counts.set(name, count);
  }

  /** Drops the revocations of tokens that have ended by now. */
  #forget(): void {
    const oldest = this.#clock.now() - TOKEN_REVOCATION_MS;
    for (const [name, { verified, addedAt, accounts }] of this.#ofTokens) {
      if (addedAt > oldest) break;
      this.#ofTokens.delete(name);
      const revokers = this.#bySubject.get(verified.subject);
      revokers?.delete(verified.by);
      if (revokers?.size === 0) this.#bySubject.delete(verified.subject);
      for (const account of accounts) this.#count(account, -1);
    }
  }
}

function nameOf(by: string, subject: string): string {
  return `${by} ${subject}`;
}

function storedRevocation(value: unknown): { verified: VerifiedRevocation; addedAt: number } {
  const { revocation, addedAt } = isPlainObject(value) ? value : {};
  if (typeof addedAt !== 'number' || !Number.isFinite(addedAt)) {
    throw invalidArgument('revocation', 'a stored revocation must be { revocation, addedAt }');
  }
  return { verified: verifyRevocation(revocation), addedAt };
}

/**
 * Creates the list of a gateway. To outlive the process, store an entry of `toJSON()` after each `add` that returned
 * something, and pass the stored entries at the next start as `stored`. Proofs are checked again. An entry beyond the
 * limits is stored, since it was acknowledged.
 *
 * @throws `invalid_argument`, reason `revocation`, and `unauthorized`, reason `invalid_signature`, for a damaged entry
 */
export function createRevocationList(
  components: RevocationListComponents,
  options: RevocationListOptions,
  stored: readonly unknown[] = [],
): RevocationList {
  const limits: Limits = {
    isKnownIssuer: options.isKnownIssuer ?? (() => false),
    maxEntries: options.maxEntries ?? 100_000,
    maxPerIssuer: options.maxPerIssuer ?? 10_000,
    maxPerSender: options.maxPerSender ?? Number.POSITIVE_INFINITY,
  };
  const list = new MemoryRevocationList(
    components.clock ?? systemClock,
    new Set(options.trustedIssuers),
    limits,
  );
  for (const value of stored) {
    const { verified, addedAt } = storedRevocation(value);
    list.restore(verified, addedAt, undefined, true);
  }
  return list;
}
