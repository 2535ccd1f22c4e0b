import { GaterError } from '@esdb-gater/types';

/** The times that a store writes. A microsecond count after 2255 is not a safe integer. */
const EARLIEST_MS = Date.UTC(2000);
const LATEST_MS = Date.UTC(2200);

/**
 * Returns the next event time of a store in microseconds: the wall clock's, but never before the last one.
 *
 * @throws `unavailable` when the clock shows an implausible time, which could not be taken back once it was written
 */
export function nextEpochUs(nowMs: number, lastEpochUs: number): number {
  if (!(nowMs >= EARLIEST_MS && nowMs < LATEST_MS)) {
    throw new GaterError(
      'unavailable',
      `the clock must show a time from 2000 to 2199, got ${describeTime(nowMs)}; set the system clock`,
    );
  }
  return Math.max(Math.floor(nowMs * 1_000), lastEpochUs);
}

function describeTime(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? `${ms} ms` : date.toISOString();
}
