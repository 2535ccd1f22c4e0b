import { invalidOption, parseRfc3339 } from '@esdb-gater/primitives';

/** Returns the last microsecond of the millisecond that a time is in. @throws `invalid_argument` (reason `time`) */
export function resolveTime(time: string): number {
  const ms = parseRfc3339(time);
  if (ms === undefined) {
    throw invalidOption('time', time, 'an RFC 3339 time, such as 2026-01-31T12:00:00Z');
  }
  return ms * 1_000 + 999;
}

/**
 * Returns the version of the last event of a stream that was recorded at or before a time, or -1. Looks at few of its
 * events, since their times never decrease.
 *
 * @param version the stream's version
 * @param epochUsOf returns the time of the event with a version
 */
export function versionUpTo(
  version: number,
  epochUs: number,
  epochUsOf: (version: number) => number,
): number {
  let low = -1;
  let high = version;
  while (low < high) {
    const middle = low + Math.ceil((high - low) / 2);
    if (epochUsOf(middle) <= epochUs) low = middle;
    else high = middle - 1;
  }
  return low;
}
