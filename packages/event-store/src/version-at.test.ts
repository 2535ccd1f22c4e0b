import { countReach, fc } from '@esdb-gater/property-testing';
import { expect, test } from 'vitest';
import { resolveTime, versionUpTo } from './version-at.ts';

test('the version at a time is that of the last event recorded at or before it', () => {
  const reach = countReach({ none: 30, all: 50, between: 200, equal: 100 });
  // Times repeat, as many events are recorded in one microsecond.
  const times = fc.array(fc.nat(3), { maxLength: 60 });
  fc.assert(
    fc.property(times, fc.nat(90), (steps, at) => {
      let time = 1;
      const recorded = steps.map((step) => (time += step));
      const last = recorded.findLastIndex((epochUs) => epochUs <= at);
      if (recorded.length > 1) {
        reach.count(last === -1 ? 'none' : last === recorded.length - 1 ? 'all' : 'between');
        if (recorded[last] === at) reach.count('equal');
      }
      expect(versionUpTo(recorded.length - 1, at, (version) => recorded[version] as number)).toBe(last);
    }),
    { numRuns: 1_000 },
  );
  reach.check();
});

test('few events are looked at', () => {
  let looks = 0;
  const version = versionUpTo(999_999, 500_000, (one) => {
    looks += 1;
    return one;
  });
  expect(version).toBe(500_000);
  expect(looks).toBeLessThanOrEqual(20);
});

test('a time includes the whole millisecond that it names', () => {
  expect(resolveTime('1970-01-01T00:00:01.5Z')).toBe(1_500_999);
  expect(() => resolveTime('yesterday')).toThrow(
    expect.objectContaining({ code: 'invalid_argument', reason: 'time' }),
  );
});
