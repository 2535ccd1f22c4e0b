import type { StorePoint } from '@esdb-gater/types';

/**
 * Returns the points that are worth keeping, newest first: the further back, the fewer, so that there are never more
 * than 27, and one lies at most about four times as far back as any given position.
 *
 * @param points newest first
 */
export function thinOut(points: readonly StorePoint[], position: number): StorePoint[] {
  const oldestAtDistance = new Map<number, StorePoint>();
  for (const point of points) {
    const distance = position - point.position;
    if (distance > 0) oldestAtDistance.set(Math.floor(Math.log2(distance) / 2), point);
  }
  return [...oldestAtDistance.values()];
}
