import { fc } from '@esdb-gater/property-testing';
import { describe, expect, test } from 'vitest';
import { chooseData, dataOf } from './store-data.ts';

const claim = (registeredAt: number, storeUuid: string | undefined, workerId = 'w', storeId = 'orders') => ({
  storeId,
  workerId,
  registeredAt,
  ...(storeUuid === undefined ? {} : { storeUuid }),
});

describe('the data that may be served under a name', () => {
  test('is that of the worker that registered first', () => {
    const workers = [claim(7, 'a'), claim(5, 'b'), claim(6, 'c')];
    expect(chooseData(workers).get('orders')).toBe(dataOf(claim(0, 'b')));
  });

  test('is that of the lower storeUuid when two registered in the same millisecond', () => {
    expect(chooseData([claim(5, 'b'), claim(5, 'a')]).get('orders')).toBe(dataOf(claim(0, 'a')));
  });

  test('is decided for each store on its own', () => {
    const workers = [claim(5, 'a', 'w', 'one'), claim(4, 'b', 'w', 'two')];
    expect([...chooseData(workers)]).toEqual([
      ['one', dataOf(claim(0, 'a'))],
      ['two', dataOf(claim(0, 'b'))],
    ]);
  });

  test('is that of one worker only, when it names no storeUuid', () => {
    expect(dataOf(claim(1, undefined, 'w'))).toBe(dataOf(claim(2, undefined, 'w')));
    expect(dataOf(claim(1, undefined, 'w'))).not.toBe(dataOf(claim(1, undefined, 'v')));
    expect(dataOf(claim(1, 'w', 'w'))).not.toBe(dataOf(claim(1, undefined, 'w')));
  });

  test('does not depend on the order in which the workers are known', () => {
    const uuid = fc.constantFrom(undefined, 'a', 'b', 'c');
    const worker = fc
      .tuple(fc.integer({ min: 1, max: 3 }), uuid, fc.constantFrom('w', 'v'), fc.constantFrom('s', 't'))
      .map(([at, storeUuid, workerId, storeId]) => claim(at, storeUuid, workerId, storeId));
    const workers = fc.array(worker, { maxLength: 8 });
    const shuffled = workers.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
    );
    fc.assert(
      fc.property(shuffled, ([one, other]) => {
        expect(new Map(chooseData(other))).toEqual(new Map(chooseData(one)));
      }),
    );
  });
});
