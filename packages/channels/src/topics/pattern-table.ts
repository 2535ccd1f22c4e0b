import { createSlotSet, type SlotSet, SMALL, slotsOf } from './slot-set.ts';

/** A pattern with wildcards, split at its dots. */
export interface WildPattern {
  /** Without a last `>`. */
  readonly segments: readonly string[];
  /** True for a last `>`: one or more segments follow. */
  readonly open: boolean;
}

/** Holds the patterns with wildcards and their entries. */
export interface PatternTable<Entry> {
  /** Adds a pattern that is not in the table. Returns the slot to remove it by. */
  add(pattern: WildPattern, entry: Entry): number;
  remove(slot: number): void;
  /** Appends the entry of every pattern that matches. */
  collect(topic: readonly string[], found: Entry[]): void;
}

export function createPatternTable<Entry>(): PatternTable<Entry> {
  return new PositionalTable();
}

interface Row<Entry> {
  readonly pattern: WildPattern;
  readonly entry: Entry;
}

/** The patterns' segments at one place between the dots. */
interface Column {
  readonly stars: SlotSet;
  readonly literals: Map<string, SlotSet>;
  /** The patterns that end before this place with `>`. */
  readonly open: SlotSet;
  /** The patterns that end before this place without `>`. */
  readonly closed: SlotSet;
}

/**
 * Knows for each place between the dots which patterns have which segment there. A topic is matched by the segment with
 * the fewest candidate patterns, which are compared one by one; when every segment has many candidates, the sets of all
 * segments are intersected as bits, 32 patterns at once. So neither many patterns nor hostile ones (which would visit
 * every branch of a tree) cost much: at worst 32 passes over one bit per pattern.
 */
class PositionalTable<Entry> implements PatternTable<Entry> {
  readonly #rows: (Row<Entry> | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #columns: Column[] = [];
  /** The bits of the patterns that are still possible, that one place allows, and that have ended with `>`. */
  #possible = new Uint32Array(1);
  #allowed = new Uint32Array(1);
  #ended = new Uint32Array(1);

  add(pattern: WildPattern, entry: Entry): number {
    const slot = this.#free.pop() ?? this.#rows.length;
    this.#rows[slot] = { pattern, entry };
    if (slot >>> 5 >= this.#possible.length) this.#widen();
    for (const set of this.#setsOf(pattern)) set.add(slot);
    return slot;
  }

  remove(slot: number): void {
    const row = this.#rows[slot];
    if (row === undefined) return;
    this.#rows[slot] = undefined;
    this.#free.push(slot);
    for (const set of this.#setsOf(row.pattern)) set.delete(slot);
    for (const [at, segment] of row.pattern.segments.entries()) {
      const literals = this.#columns[at]?.literals;
      if (literals?.get(segment)?.size === 0) literals.delete(segment);
    }
  }

  collect(topic: readonly string[], found: Entry[]): void {
    const candidates = this.#fewest(topic) ?? this.#intersect(topic);
    for (const slot of candidates) {
      const row = this.#rows[slot];
      if (row !== undefined && matches(row.pattern, topic)) found.push(row.entry);
    }
  }

  /** Returns the patterns that the most selective place leaves, or undefined when every place leaves many. */
  #fewest(topic: readonly string[]): readonly number[] | undefined {
    let least = Number.POSITIVE_INFINITY;
    let best = 0;
    let ended = 0;
    const places = Math.min(topic.length, this.#columns.length);
    for (let at = 0; at < places; at++) {
      const { open, stars, literals } = this.#columns[at] as Column;
      ended += open.size;
      const left = ended + stars.size + (literals.get(topic[at] as string)?.size ?? 0);
      if (left === 0) return [];
      if (left < least) {
        least = left;
        best = at;
      }
    }
    if (places === 0) return [];
    return least > SMALL ? undefined : this.#leftAt(best, topic[best] as string);
  }

  #leftAt(at: number, segment: string): readonly number[] {
    const { stars, literals } = this.#columns[at] as Column;
    const left = [...stars.members(), ...(literals.get(segment)?.members() ?? [])];
    for (let place = 0; place <= at; place++) left.push(...(this.#columns[place] as Column).open.members());
    return left;
  }

  #intersect(topic: readonly string[]): readonly number[] {
    const { length } = topic;
    const possible = this.#possible.fill(0);
    const allowed = this.#allowed;
    const ended = this.#ended.fill(0);
    this.#columns[length]?.closed.orInto(possible);
    // A last `>` needs at least one segment, so the pattern ends before the last place.
    for (let at = 0; at < length; at++) this.#columns[at]?.open.orInto(possible);
    for (let at = 0; at < length; at++) {
      const column = this.#columns[at];
      column?.open.orInto(ended);
      allowed.set(ended);
      column?.stars.orInto(allowed);
      column?.literals.get(topic[at] as string)?.orInto(allowed);
      let left = 0;
      for (let word = 0; word < possible.length; word++) {
        left |= possible[word] = (possible[word] as number) & (allowed[word] as number);
      }
      if (left === 0) return [];
    }
    return slotsOf(possible);
  }

  #setsOf({ segments, open }: WildPattern): SlotSet[] {
    const sets = segments.map((segment, at) => {
      const { stars, literals } = this.#column(at);
      if (segment === '*') return stars;
      let set = literals.get(segment);
      if (set === undefined) {
        set = createSlotSet();
        literals.set(segment, set);
      }
      return set;
    });
    const end = this.#column(segments.length);
    sets.push(open ? end.open : end.closed);
    return sets;
  }

  #column(at: number): Column {
    while (this.#columns.length <= at) {
      this.#columns.push({
        stars: createSlotSet(),
        literals: new Map(),
        open: createSlotSet(),
        closed: createSlotSet(),
      });
    }
    return this.#columns[at] as Column;
  }

  #widen(): void {
    const words = this.#possible.length * 2;
    this.#possible = new Uint32Array(words);
    this.#allowed = new Uint32Array(words);
    this.#ended = new Uint32Array(words);
  }
}

function matches({ segments, open }: WildPattern, topic: readonly string[]): boolean {
  if (open ? topic.length <= segments.length : topic.length !== segments.length) return false;
  for (let at = 0; at < segments.length; at++) {
    const segment = segments[at];
    if (segment !== '*' && segment !== topic[at]) return false;
  }
  return true;
}
