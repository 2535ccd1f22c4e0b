import { countReach, fc } from '@esdb-gater/property-testing';
import { expect, test } from 'vitest';
import { KeptRecord } from './memory-record.ts';
import { createRecordRing } from './record-ring.ts';
import { NO_STORES } from './store-positions.ts';

const record = (sequence: number, text: string): KeptRecord =>
  new KeptRecord({ id: `${sequence}`, topic: 't', time: `${sequence}` }, text, {
    head: 'm1a.',
    sequence,
    stores: NO_STORES,
  });

const held = (ring: ReturnType<typeof createRecordRing>): number[] =>
  ring.slice(0, ring.newest).map(({ sequence }) => sequence);

test('the newest records within the limit in bytes are kept, whatever their number [R21]', () => {
  const ring = createRecordRing({ capacity: 100, maxBytes: 10 });
  for (let n = 1; n <= 7; n++) ring.push(record(n, '"é"'));
  expect(held(ring)).toEqual([6, 7]);
  expect([ring.oldest, ring.newest, ring.lostTime]).toEqual([6, 7, '5']);
  ring.push(record(8, '1'));
  expect(held(ring)).toEqual([6, 7, 8]);
});

test('a record above the limit in bytes is not kept, and removes those before it', () => {
  const ring = createRecordRing({ capacity: 100, maxBytes: 4 });
  ring.push(record(1, '1'));
  ring.push(record(2, '"long"'));
  expect([held(ring), ring.oldest, ring.lostTime]).toEqual([[], 3, '2']);
  ring.push(record(3, '3'));
  expect(held(ring)).toEqual([3]);
});

test('no more records are held than the capacity allows', () => {
  const ring = createRecordRing({ capacity: 3, maxBytes: 1_000 });
  for (let n = 1; n <= 10; n++) ring.push(record(n, '1'));
  expect([held(ring), ring.oldest, ring.lostTime]).toEqual([[8, 9, 10], 8, '7']);
  expect(ring.slice(8, 9).map(({ sequence }) => sequence)).toEqual([9]);
});

test('holds the newest records within both limits for any sequence of records', () => {
  const reach = countReach({ full: 200, bytes: 200, emptied: 20 });
  const texts = fc.array(fc.nat(12), { maxLength: 60 });
  fc.assert(
    fc.property(
      texts,
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 1, max: 30 }),
      (lengths, capacity, maxBytes) => {
        const ring = createRecordRing({ capacity, maxBytes });
        let model: { readonly sequence: number; readonly bytes: number }[] = [];
        let lost: string | undefined;
        for (const [n, bytes] of lengths.entries()) {
          ring.push(record(n + 1, 'x'.repeat(bytes)));
          model.push({ sequence: n + 1, bytes });
          const size = (): number => model.reduce((sum, one) => sum + one.bytes, 0);
          if (model.length > capacity) reach.count('full');
          else if (size() > maxBytes) reach.count('bytes');
          while (model.length > capacity || size() > maxBytes) {
            lost = String(model[0]?.sequence);
            model = model.slice(1);
          }
          if (model.length === 0) reach.count('emptied');
          expect(held(ring)).toEqual(model.map(({ sequence }) => sequence));
          expect([ring.newest, ring.oldest, ring.lostTime]).toEqual([
            n + 1,
            model[0]?.sequence ?? n + 2,
            lost,
          ]);
          expect(ring.slice(n - 2, n + 100).map(({ sequence }) => sequence)).toEqual(
            model.map(({ sequence }) => sequence).filter((sequence) => sequence > n - 2),
          );
        }
      },
    ),
  );
  reach.check();
});

test('with a capacity of 0 no record is kept', () => {
  const ring = createRecordRing({ capacity: 0, maxBytes: 1_000 });
  ring.push(record(1, '1'));
  expect([held(ring), ring.oldest, ring.newest, ring.lostTime]).toEqual([[], 2, 1, '1']);
});
