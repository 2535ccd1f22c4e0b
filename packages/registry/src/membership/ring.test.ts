import { describe, expect, test } from 'vitest';
import { chooseObserved, RINGS, ringPositions } from './ring.ts';

const nodesOf = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    name: `node-${index}`,
    ring: ringPositions(`node-${index}`),
  }));

function observedBy(count: number): Map<string, string[]> {
  const nodes = nodesOf(count);
  return new Map(
    nodes.map((self) => {
      const others = nodes.filter((other) => other !== self);
      return [self.name, chooseObserved(self.ring, others).map(({ name }) => name)];
    }),
  );
}

describe('the nodes that a node observes', () => {
  test.each([1, 2, 3, 4, 5])('are all others in a cluster of %d', (count) => {
    for (const [name, observed] of observedBy(count)) {
      expect(new Set([name, ...observed]).size).toBe(count);
    }
  });

  test('are as many in a cluster of any size, and different ones', () => {
    for (const observed of observedBy(500).values()) expect(new Set(observed).size).toBe(RINGS);
  });

  test('are chosen so that each node is observed, by few', () => {
    const observers = new Map<string, number>();
    for (const observed of observedBy(500).values()) {
      for (const name of observed) observers.set(name, (observers.get(name) ?? 0) + 1);
    }
    expect(observers.size).toBe(500);
    expect(Math.min(...observers.values())).toBeGreaterThanOrEqual(2);
    expect(Math.max(...observers.values())).toBeLessThanOrEqual(2 * RINGS);
  });

  test('lead from each node to every other in a few steps', () => {
    const observed = observedBy(500);
    let reached = new Set(['node-0']);
    let steps = 0;
    for (; reached.size < 500; steps++) {
      reached = new Set([...reached, ...[...reached].flatMap((name) => observed.get(name) ?? [])]);
    }
    expect(steps).toBeLessThan(9);
  });
});
