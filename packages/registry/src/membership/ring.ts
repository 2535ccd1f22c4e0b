import { hashText, hashWith } from './hashes.ts';

/**
 * How many rings there are, and so how many nodes each node observes and is observed by. Four random rings make a graph
 * that stays connected when many nodes fail at once, and in which news reaches 1 000 nodes in five steps.
 */
export const RINGS = 4;

/** Returns the places of a node on the rings, each a 32-bit number. All nodes compute the same. */
export function ringPositions(nodeId: string): readonly number[] {
  const hash = hashText(nodeId);
  return Array.from({ length: RINGS }, (_, ring) => hashWith(hash, ring + 1));
}

interface Placed {
  readonly ring: readonly number[];
}

/**
 * Chooses the nodes that a node observes: on each ring the next one that is not chosen yet. Up to five nodes so observe
 * all others. Takes time in proportion to the number of nodes.
 */
export function chooseObserved<Node extends Placed>(
  self: readonly number[],
  others: readonly Node[],
): Node[] {
  const chosen: Node[] = [];
  for (let ring = 0; ring < RINGS; ring++) {
    let next: Node | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const other of others) {
      const distance = ((other.ring[ring] ?? 0) - (self[ring] ?? 0)) >>> 0;
      if (distance < least && !chosen.includes(other)) {
        least = distance;
        next = other;
      }
    }
    if (next !== undefined) chosen.push(next);
  }
  return chosen;
}
