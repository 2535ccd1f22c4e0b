import { createHash } from 'node:crypto';
import { fc } from '@esdb-gater/property-testing';
import { expect, test } from 'vitest';
import { createOccurrences } from './occurrences.ts';

const digestOf = (value: number) => createHash('sha256').update(String(value)).digest();

test('counts how often each digest came before, through every growth of the table', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(3_000), { minLength: 2_000, maxLength: 8_000 }), (values) => {
      const occurrences = createOccurrences();
      const expected = new Map<number, number>();
      for (const value of values) {
        const before = expected.get(value) ?? 0;
        expect(occurrences.add(digestOf(value))).toBe(before);
        expected.set(value, before + 1);
      }
    }),
    { numRuns: 10 },
  );
});
