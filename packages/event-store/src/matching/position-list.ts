/** The positions of the events of one type, or with one tag, in ascending order. */
export interface PositionList {
  /** Returns the first position at or after `from`, or `Infinity`. Callers seek forward only. */
  seek(from: number): number;
}

/** Finds the positions of a store's events. Each call returns a list that begins anew. */
export interface PositionIndex {
  ofType(type: string): PositionList;
  ofTag(tag: string): PositionList;
}

/** A list of positions in memory. */
export class SortedPositions implements PositionList {
  readonly #positions: readonly number[];
  #index = 0;

  constructor(positions: readonly number[]) {
    this.#positions = positions;
  }

  seek(from: number): number {
    const positions = this.#positions;
    // Doubles the step, since the next position is near in most cases.
    let step = 1;
    let low = this.#index;
    while (low + step < positions.length && (positions[low + step] as number) < from) {
      low += step;
      step *= 2;
    }
    let high = Math.min(low + step, positions.length);
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((positions[middle] as number) < from) low = middle + 1;
      else high = middle;
    }
    this.#index = low;
    return positions[low] ?? Number.POSITIVE_INFINITY;
  }
}
