/**
 * The next event time of a store in microseconds: the wall clock's, but never before the last one, whatever the
 * clock does.
 */
export function nextEpochUs(nowMs: number, lastEpochUs: number): number {
  return Math.max(Math.floor(nowMs * 1_000), lastEpochUs);
}
