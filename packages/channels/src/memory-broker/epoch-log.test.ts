import { describe, expect, test } from 'vitest';
import { type BrokerEpoch, isLostSince, isLostSinceTime } from './epoch-log.ts';

/** Runs that began every second from 1 s on, with the messages that clients published in each. */
const runs = (...published: (number | null)[]): BrokerEpoch[] =>
  published.map((count, n) => ({ epoch: `e${n}`, startedMs: (n + 1) * 1_000, published: count }));

describe('isLostSince', () => {
  test.each([
    ['a run that nobody knows', runs(0), 'other', 0, true],
    ['a run that ended before it saved', runs(null), 'e0', 5, true],
    ['a run in which more was published', runs(3), 'e0', 2, true],
    ['the end of the last run', runs(3), 'e0', 3, false],
    ['the end of a run before runs without messages', runs(3, 0, 0), 'e0', 3, false],
    ['the end of a run before one with messages', runs(3, 0, 1), 'e0', 3, true],
    ['the end of a run before one that ended early', runs(3, null), 'e0', 3, true],
    ['a run after one with messages', runs(3, 0), 'e1', 0, false],
  ] as const)('%s', (_, earlier, epoch, sequence, lost) => {
    expect(isLostSince(earlier, { epoch, sequence })).toBe(lost);
  });
});

describe('isLostSinceTime', () => {
  // The present run began at 4 s.
  test.each([
    ['the start of this run', runs(1, 1, 1), 4_000, false],
    ['just before the start of this run, after a run with messages', runs(0, 0, 1), 3_999, true],
    ['just before the start of this run, after runs without messages', runs(0, 0, 0), 3_999, false],
    ['a run after all with messages', runs(1, 1, 0), 3_000, false],
    ['the last moment of a run with messages', runs(1, 1, 0), 2_999, true],
    ['before one that ended early', runs(0, 0, null), 1_500, true],
    ['the beginning of the first run', runs(0, 0, 0), 1_000, false],
    ['before the first run', runs(0, 0, 0), 999, true],
    ['a time without any run', runs(), 3_999, true],
  ] as const)('%s', (_, earlier, timeMs, lost) => {
    expect(isLostSinceTime(earlier, timeMs, 4_000)).toBe(lost);
  });
});
