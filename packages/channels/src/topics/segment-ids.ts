/** The id of `*`. */
export const STAR = 0;

/** The id of a segment that stands in no pattern: it matches `*` only. */
export const UNKNOWN = -1;

/**
 * Small numbers for the literal segments of the patterns, so that the trie compares numbers and never text.
 * A segment is forgotten with the last pattern that has it.
 */
export interface SegmentIds {
  /** The ids of a pattern without its last `>`, each counted once more. */
  acquire(segments: readonly string[]): readonly number[];
  /** Gives back what {@link acquire} counted. */
  release(segments: readonly string[]): readonly number[];
  /** The ids of a topic. */
  of(topic: string): readonly number[];
}

export function createSegmentIds(): SegmentIds {
  return new CountedIds();
}

interface Known {
  readonly id: number;
  uses: number;
}

class CountedIds implements SegmentIds {
  readonly #known = new Map<string, Known>();
  #next = STAR + 1;

  acquire(segments: readonly string[]): readonly number[] {
    return segments.map((segment) => {
      if (segment === '*') return STAR;
      const known = this.#known.get(segment);
      if (known !== undefined) {
        known.uses++;
        return known.id;
      }
      // Never reused: at a million new segments a second the numbers last for 285 years.
      const id = this.#next++;
      this.#known.set(segment, { id, uses: 1 });
      return id;
    });
  }

  release(segments: readonly string[]): readonly number[] {
    return segments.map((segment) => {
      if (segment === '*') return STAR;
      const known = this.#known.get(segment);
      if (known === undefined) return UNKNOWN;
      known.uses--;
      if (known.uses === 0) this.#known.delete(segment);
      return known.id;
    });
  }

  of(topic: string): readonly number[] {
    const ids: number[] = [];
    for (let start = 0; start <= topic.length; ) {
      const dot = topic.indexOf('.', start);
      const end = dot === -1 ? topic.length : dot;
      ids.push(this.#known.get(topic.slice(start, end))?.id ?? UNKNOWN);
      start = end + 1;
    }
    return ids;
  }
}
