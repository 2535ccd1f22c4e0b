import { countReach, fc } from '@esdb-gater/property-testing';
import { expect, test } from 'vitest';
import { Heap } from './heap.ts';

/** A key to add, or undefined to take the first item out. */
const steps = fc.array(fc.option(fc.nat(9), { freq: 3 }), { maxLength: 120 });

test('the item with the smallest key comes first, for any sequence of additions and removals', () => {
  const reach = countReach({ sameKey: 500, empty: 20, deep: 100 });
  fc.assert(
    fc.property(steps, (list) => {
      const heap = new Heap<{ readonly key: number }>();
      const model: { readonly key: number }[] = [];
      for (const key of list) {
        const least = Math.min(...model.map((item) => item.key));
        if (key !== null) {
          if (model.some((item) => item.key === key)) reach.count('sameKey');
          const item = { key };
          model.push(item);
          heap.push(key, item);
        } else {
          const taken = heap.pop();
          expect(taken?.key).toBe(model.length === 0 ? undefined : least);
          if (taken === undefined) reach.count('empty');
          // Each item comes out once, also among those with the same key.
          else expect(model.splice(model.indexOf(taken), 1)).toEqual([taken]);
        }
        if (model.length > 15) reach.count('deep');
        const first = Math.min(...model.map((item) => item.key));
        expect([heap.size, heap.firstKey, heap.first?.key ?? first]).toEqual([model.length, first, first]);
      }
    }),
  );
  reach.check();
});

test('an empty heap has no first item, also after it was cleared', () => {
  const heap = new Heap<string>();
  for (const key of [3, 1, 2]) heap.push(key, `${key}`);
  heap.clear();
  expect([heap.size, heap.first, heap.firstKey, heap.pop()]).toEqual([
    0,
    undefined,
    Number.POSITIVE_INFINITY,
    undefined,
  ]);
  heap.push(5, 'again');
  expect(heap.pop()).toBe('again');
});
