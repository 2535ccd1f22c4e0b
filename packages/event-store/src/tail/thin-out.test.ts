import type { StorePoint } from '@esdb-gater/types';
import { expect, test } from 'vitest';
import { thinOut } from './thin-out.ts';

test('few points are kept, the fewer the further back, however many were saved', () => {
  let points: StorePoint[] = [];
  for (let position = 1; position <= 20_000; position++) {
    points = [{ position, proof: 'abcdefgh' }, ...thinOut(points, position)];
  }
  expect(points.length).toBeLessThan(20);
  for (const lost of [1, 10, 100, 1_000, 10_000]) {
    const kept = points.find((one) => one.position <= 20_000 - lost)?.position ?? 0;
    expect(20_000 - kept).toBeLessThanOrEqual(4 * lost);
  }
});

test('a point at or behind the position is left out', () => {
  expect(thinOut([{ position: 5 }, { position: 4 }, { position: 3 }], 4)).toEqual([{ position: 3 }]);
});
