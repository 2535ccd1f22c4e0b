import type { JsonValue } from '@esdb-gater/types';

/** An entry that a node writes to the log of leases. The key of the record is the name of the lease. */
export interface LeaseEntry {
  readonly holder: string;
  /** Absent in a claim, whose epoch is its offset. */
  readonly epoch?: number;
  readonly ttlMs: number;
  /** The holder releases the lease. */
  readonly released?: boolean;
  /** Identifies the node's own entries. */
  readonly sequence: number;
}

/** Who holds a lease. Epochs only grow. */
export interface LeaseState {
  readonly holder: string;
  readonly epoch: number;
  /** By the broker's clock. */
  readonly expiresAtMs: number;
  /** False while earlier entries, which were not read, may contradict the state. */
  readonly confirmed: boolean;
}

interface EntryPlace {
  readonly offset: number;
  readonly timeMs: number;
  /** The log is complete from its beginning. */
  readonly complete: boolean;
}

/**
 * Returns the state after an entry. Every node applies the same entries in the same order with the broker's times, so
 * all agree on who holds the lease without asking each other.
 *
 * A claim wins when the lease is free, expired, or held by the same node, which has restarted. A renewal counts only
 * with the epoch of the holder. Where the beginning of the log was removed, a node may read a claim without the entry
 * that made it fail: such a claim is unconfirmed and yields to any renewal.
 */
export function applyEntry(
  state: LeaseState | undefined,
  entry: LeaseEntry,
  { offset, timeMs, complete }: EntryPlace,
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
  // A node renews only a lease that it has won: a later epoch proves a win that was not read here.
  const proven = state === undefined ? !complete : epoch > state.epoch || !state.confirmed;
  if (!proven) return state;
  return entry.released === true ? undefined : { holder, epoch, expiresAtMs, confirmed: true };
}

/** Parses the value of a record, or returns undefined when it is not an entry. */
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
