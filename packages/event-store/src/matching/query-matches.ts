import type { EventQuery, EventQueryItem } from '@esdb-gater/types';
import type { PositionIndex, PositionList } from './position-list.ts';

/** Look-ups in the lists of all items together, besides the first ones, before a search pauses. */
const LOOKUPS = 4_000;

/**
 * The next match of a query. `found: false` with a finite position: the search paused, and there is no match before that
 * position. With `Infinity` there is none at all.
 */
export interface Match {
  readonly position: number;
  readonly found: boolean;
}

/** Counts look-ups down. */
interface Budget {
  left: number;
}

/** Any of the types of an item, or one of its tags. */
class AnyOf {
  readonly #lists: readonly PositionList[];
  /** What each list was last found at. */
  readonly #at: number[];

  constructor(lists: readonly PositionList[]) {
    this.#lists = lists;
    this.#at = lists.map(() => 0);
  }

  get size(): number {
    return this.#lists.length;
  }

  seek(from: number, budget: Budget): number {
    let first = Number.POSITIVE_INFINITY;
    for (let index = 0; index < this.#lists.length; index += 1) {
      let at = this.#at[index] as number;
      if (at < from) {
        at = (this.#lists[index] as PositionList).seek(from);
        this.#at[index] = at;
        budget.left -= 1;
      }
      if (at < first) first = at;
    }
    return first;
  }
}

/** The matches of one item: the positions that all its parts have. */
class ItemMatches {
  readonly #parts: readonly AnyOf[];
  readonly #lists: number;
  #position = 0;
  #found = false;

  constructor({ types = [], tags = [] }: EventQueryItem, index: PositionIndex) {
    const parts = [...new Set(tags)].map((tag) => new AnyOf([index.ofTag(tag)]));
    const names = [...new Set(types)];
    if (names.length > 0) parts.push(new AnyOf(names.map((type) => index.ofType(type))));
    this.#parts = parts;
    this.#lists = parts.reduce((sum, part) => sum + part.size, 0);
  }

  /**
   * Moves to the first match at or after `from`. Each part in turn skips to where the last one was found, so the parts
   * with the fewest events decide how many look-ups it takes.
   */
  seek(from: number, lookups: number): Match {
    if (this.#position >= from && (this.#found || this.#position === Number.POSITIVE_INFINITY)) return this;
    // Every list once, or a search that was resumed would not get any further.
    const budget: Budget = { left: this.#lists + lookups };
    let candidate = Math.max(from, this.#position);
    let agreed = 0;
    for (let index = 0; agreed < this.#parts.length; index = (index + 1) % this.#parts.length) {
      if (budget.left <= 0) return this.#set(candidate, false);
      const position = (this.#parts[index] as AnyOf).seek(candidate, budget);
      if (position === Number.POSITIVE_INFINITY) return this.#set(position, false);
      agreed = position === candidate ? agreed + 1 : 1;
      candidate = position;
    }
    return this.#set(candidate, true);
  }

  get position(): number {
    return this.#position;
  }

  get found(): boolean {
    return this.#found;
  }

  #set(position: number, found: boolean): Match {
    this.#position = position;
    this.#found = found;
    return this;
  }
}

/**
 * Walks through the events that match a query, in the order of positions, without looking at others. The work of one
 * step is bounded: a search that finds nothing for long pauses.
 */
export class QueryMatches {
  readonly #items: readonly ItemMatches[];
  readonly #lookupsPerItem: number;

  constructor(query: EventQuery, index: PositionIndex, lookups: number = LOOKUPS) {
    this.#items = query.items.map((item) => new ItemMatches(item, index));
    this.#lookupsPerItem = Math.ceil(lookups / this.#items.length);
  }

  /** Returns the first match at or after `from`. Callers go forward only. */
  next(from: number): Match {
    let first: Match = { position: Number.POSITIVE_INFINITY, found: false };
    for (const item of this.#items) {
      const match = item.seek(from, this.#lookupsPerItem);
      // At equal positions a match counts more than a pause, which says only that there is none before.
      if (match.position < first.position || (match.position === first.position && match.found)) {
        first = { position: match.position, found: match.found };
      }
    }
    return first;
  }
}
