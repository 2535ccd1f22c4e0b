import type { JsonValue } from '@esdb-gater/types';

/** What a node writes to the log of leases. Its key is the lease's name. */
export interface LeaseEntry {
  readonly holder: string;
  /** Absent in a claim: the epoch of a claim is the offset at which it lies. */
  readonly epoch?: number;
  readonly ttlMs: number;
  /** The holder gives it back. */
  readonly released?: boolean;
  /** Tells a node its own renewals apart. */
  readonly sequence: number;
}

/** Who holds a lease. Epochs only grow. */
export interface LeaseState {
  readonly holder: string;
  readonly epoch: number;
  /** Until when, by the broker's clock. */
  readonly expiresAtMs: number;
  /** False while what came before it in the log was not seen and may prove it wrong. */
  readonly confirmed: boolean;
}

interface LogPlace {
  readonly offset: number;
  readonly timeMs: number;
  /** Nothing was removed from the beginning of the log. */
  readonly complete: boolean;
}

/**
 * The state after an entry. Every node applies the same entries in the same order with the same times, those of the
 * broker, so all agree on who holds the lease without asking each other.
 *
 * A claim wins when the lease is free, expired, or held by the same node (which has started anew). A renewal counts
 * only with the epoch of the holder. Where the beginning of the log is gone, a claim may be seen whose refusal is
 * not: it counts as unconfirmed and gives way to whoever renews.
 */
export function applyEntry(
  state: LeaseState | undefined,
  entry: LeaseEntry,
  { offset, timeMs, complete }: LogPlace,
): LeaseState | undefined {
  const { holder, epoch, ttlMs } = entry;
  const expiresAtMs = timeMs + ttlMs;
  if (epoch === undefined) {
    const free = state === undefined || timeMs >= state.expiresAtMs || state.holder === holder;
    if (!free) return state;
    return { holder, epoch: offset, expiresAtMs, confirmed: complete || state !== undefined };
  }
  if (state?.epoch === epoch) {
    return entry.released === true ? undefined : { ...state, expiresAtMs, confirmed: true };
  }
  // Who renews has seen itself win: a later epoch than the known one is a win that was not seen here.
  const proven = state === undefined ? !complete : epoch > state.epoch || !state.confirmed;
  if (!proven) return state;
  return entry.released === true ? undefined : { holder, epoch, expiresAtMs, confirmed: true };
}

/** The entry in a log's value, or undefined for what is none. */
export function parseEntry(value: JsonValue | undefined): LeaseEntry | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { holder, epoch, ttlMs, released, sequence } = value as Record<string, JsonValue | undefined>;
  if (typeof holder !== 'string' || !isCount(ttlMs) || !isCount(sequence)) return undefined;
  if (epoch !== undefined && !isCount(epoch)) return undefined;
  return {
    holder,
    ttlMs,
    sequence,
    ...(epoch === undefined ? {} : { epoch }),
    ...(released === true ? { released } : {}),
  };
}

function isCount(value: JsonValue | undefined): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
