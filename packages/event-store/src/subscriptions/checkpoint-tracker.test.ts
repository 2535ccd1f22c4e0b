import { countReach, fc } from '@esdb-gater/property-testing';
import { expect, test } from 'vitest';
import { CheckpointTracker, type OpenEntry } from './checkpoint-tracker.ts';

/** An event that is wanted, one that is not, a settlement of one of those that are open, or a restart. */
const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.constant({ kind: 'open' as const }) },
    { weight: 2, arbitrary: fc.constant({ kind: 'pass' as const }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('settle' as const), which: fc.nat(7) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), at: fc.nat(20) }) },
  ),
  { maxLength: 80 },
);

test('the checkpoint is the place before the oldest unsettled event, for any order of settlements', () => {
  const reach = countReach({ outOfOrder: 100, caughtUp: 200, restarted: 50 });
  fc.assert(
    fc.property(steps, (list) => {
      const tracker = new CheckpointTracker({ position: 3 });
      let last = 3;
      let events: { readonly entry: OpenEntry; readonly before: number; settled: boolean }[] = [];
      for (const step of list) {
        const unsettled = events.filter(({ settled }) => !settled);
        if (step.kind === 'open') {
          const entry = tracker.open({ position: last + 1 });
          events.push({ entry, before: last, settled: false });
          last += 1;
        } else if (step.kind === 'pass') {
          last += 1;
          tracker.pass({ position: last });
        } else if (step.kind === 'restart') {
          reach.count('restarted');
          last = step.at;
          events = [];
          tracker.restart({ position: last });
        } else if (unsettled.length > 0) {
          const at = step.which % unsettled.length;
          if (at > 0) reach.count('outOfOrder');
          const chosen = unsettled[at] as (typeof unsettled)[number];
          chosen.settled = true;
          tracker.settle(chosen.entry);
        }
        const first = events.findIndex(({ settled }) => !settled);
        if (first === -1 && events.length > 0) reach.count('caughtUp');
        expect(tracker.lastRead.position).toBe(last);
        expect(tracker.checkpoint.position).toBe(first === -1 ? last : events[first]?.before);
        expect(tracker.size).toBe(first === -1 ? 0 : events.length - first);
      }
    }),
  );
  reach.check();
});

test('points keep their proof', () => {
  const tracker = new CheckpointTracker({ position: 1, proof: 'first' });
  const entry = tracker.open({ position: 2, proof: 'second' });
  expect(tracker.checkpoint).toEqual({ position: 1, proof: 'first' });
  tracker.settle(entry);
  expect(tracker.checkpoint).toEqual({ position: 2, proof: 'second' });
});
