import { countReach, fc } from '@esdb-gater/property-testing';
import { expect, test } from 'vitest';
import { createSlotSet, SMALL, slotsOf } from './slot-set.ts';

const sorted = (slots: Iterable<number>): number[] => [...slots].sort((one, other) => one - other);

test('holds the same members as a list and as bits, at any size and in any order', () => {
  const reach = countReach({ largest: 76, shrunk: 1 });
  const many = fc.array(fc.nat(150), { maxLength: 150 });
  const step = fc.record({ add: fc.boolean(), many });
  fc.assert(
    fc.property(fc.array(step, { minLength: 2, maxLength: 12 }), (steps) => {
      const set = createSlotSet();
      const model = new Set<number>();
      let wasLarge = false;
      for (const { add, many } of steps) {
        for (const slot of many) {
          if (add === model.has(slot)) continue;
          if (add) {
            model.add(slot);
            set.add(slot);
          } else {
            model.delete(slot);
            set.delete(slot);
          }
          expect(set.size).toBe(model.size);
        }
        reach.largest('largest', model.size);
        if (wasLarge && model.size < SMALL / 2) reach.count('shrunk');
        wasLarge = model.size > SMALL || (wasLarge && model.size >= SMALL / 2);
        const words = new Uint32Array(16);
        words[15] = 1;
        set.orInto(words);
        expect(slotsOf(words)).toEqual([...sorted(model), 480]);
        if (model.size <= SMALL) expect(sorted(set.members())).toEqual(sorted(model));
      }
    }),
    { numRuns: 50 },
  );
  reach.check();
});

test('holds its members while it grows beyond its bits, and when it becomes a list again', () => {
  const set = createSlotSet();
  const slots = Array.from({ length: 70 }, (_, n) => n * 7);
  for (const slot of slots) set.add(slot);
  expect(set.members()).toEqual(slots);
  // Its bits reach to 490: this one is far beyond them.
  set.add(10_000);
  expect(set.members()).toEqual([...slots, 10_000]);
  for (const slot of slots.slice(31)) set.delete(slot);
  expect(set.size).toBe(32);
  expect(sorted(set.members())).toEqual([...slots.slice(0, 31), 10_000]);
  set.delete(0);
  expect(sorted(set.members())).toEqual([...slots.slice(1, 31), 10_000]);
  set.add(3);
  expect(sorted(set.members())).toEqual([3, ...slots.slice(1, 31), 10_000]);
});
