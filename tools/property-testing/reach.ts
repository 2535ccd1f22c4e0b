import { writeSync } from 'node:fs';

/** What the runs of a property reached. */
export interface Reach<K extends string> {
  /** Counts that a run did something. */
  count(name: K, times?: number): void;
  /** Remembers the largest value of something. */
  largest(name: K, value: number): void;
  /**
   * Call it after the property. Prints the counts when `ESDB_GATER_REACH=1`.
   *
   * @throws an `Error` that names each count that is below its minimum
   */
  check(): void;
}

/**
 * Counts what the runs of a property reach, so that a generator that misses the interesting cases fails the test.
 *
 * @param minimums by name, how often a test must have reached something; below what it usually reaches, so that no seed
 * fails
 */
export function countReach<K extends string>(minimums: Readonly<Record<K, number>>): Reach<K> {
  const names = Object.keys(minimums) as K[];
  const counts = new Map<K, number>(names.map((name) => [name, 0]));
  const countOf = (name: K): number => counts.get(name) ?? 0;
  return {
    count(name, times = 1) {
      counts.set(name, countOf(name) + times);
    },
    largest(name, value) {
      counts.set(name, Math.max(countOf(name), value));
    },
    check() {
      const text = names.map((name) => `${name} ${countOf(name)} (at least ${minimums[name]})`);
      if (process.env['ESDB_GATER_REACH'] === '1') writeSync(2, `reached: ${text.join(', ')}\n`);
      const missed = text.filter((_, index) => {
        const name = names[index] as K;
        return countOf(name) < minimums[name];
      });
      if (missed.length > 0) throw new Error(`the generators reached too little: ${missed.join(', ')}`);
    },
  };
}
