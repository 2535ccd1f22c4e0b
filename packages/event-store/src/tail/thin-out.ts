import type { StorePoint } from '@esdb-gater/types';

/**
 * Returns the points that are worth keeping, newest first: the further back, the fewer. There are never more than 53,
 * and for any distance one lies at most about four times as far back.
 *
 * @param points newest first
 */
export function thinOut(points: readonly StorePoint[], position: number): StorePoint[] {
  const oldestAtDistance = new Map<number, StorePoint>();
  for (const point of points) {
    const distance = position - point.position;
    if (distance > 0) oldestAtDistance.set(Math.floor(Math.log2(distance)), point);
  }
  return [...oldestAtDistance.values()];
}
