import { GenerationMap } from '@esdb-gater/primitives';
import { createPatternTable, type WildPattern } from './pattern-table.ts';

/** Finds the values whose patterns match a topic. A value is a subscriber, and may have many patterns. */
export interface TopicIndex<Value> {
  /** The number of pairs of pattern and value. */
  readonly size: number;
  /** Adds a value to a valid pattern. Returns false when it has it already. */
  add(pattern: string, value: Value): boolean;
  /** Removes a value from a pattern. Returns false when it does not have it. */
  delete(pattern: string, value: Value): boolean;
  /**
   * Returns the values with at least one pattern that matches a valid topic, each once. The array is shared with
   * later calls and never changes: a change of the index makes a new one.
   */
  match(topic: string): readonly Value[];
}

export interface TopicIndexOptions {
  /** How many topics' answers are cached. @default 16 384 */
  readonly cachedTopics?: number;
}

const NOBODY: readonly never[] = Object.freeze([]);

/** A pattern with at least one value. */
interface Entry<Value> {
  readonly values: Set<Value>;
  /** Its slot in the table of patterns with wildcards. */
  readonly slot: number | undefined;
}

/**
 * Keeps patterns without wildcards in a map, the others in a table by segment, and before both a cache from topic to
 * values, which every change of the index empties. A hit costs one look-up for any number of patterns.
 */
export function createTopicIndex<Value>(options: TopicIndexOptions = {}): TopicIndex<Value> {
  return new CachedIndex(options);
}

class CachedIndex<Value> implements TopicIndex<Value> {
  size = 0;
  readonly #patterns = new Map<string, Entry<Value>>();
  readonly #wild = createPatternTable<ReadonlySet<Value>>();
  /** The answers since the last change of the index. */
  readonly #cache: GenerationMap<string, readonly Value[]>;

  constructor(options: TopicIndexOptions) {
    this.#cache = new GenerationMap(Math.max(1, (options.cachedTopics ?? 16_384) >> 1));
  }

  add(pattern: string, value: Value): boolean {
    const entry = this.#patterns.get(pattern) ?? this.#open(pattern);
    if (entry.values.has(value)) return false;
    entry.values.add(value);
    this.size++;
    this.#cache.clear();
    return true;
  }

  delete(pattern: string, value: Value): boolean {
    const entry = this.#patterns.get(pattern);
    if (entry?.values.delete(value) !== true) return false;
    if (entry.values.size === 0) {
      this.#patterns.delete(pattern);
      if (entry.slot !== undefined) this.#wild.remove(entry.slot);
    }
    this.size--;
    this.#cache.clear();
    return true;
  }

  match(topic: string): readonly Value[] {
    const cached = this.#cache.get(topic);
    if (cached !== undefined) return cached;
    const values = this.#find(topic);
    this.#cache.set(topic, values);
    return values;
  }

  #open(pattern: string): Entry<Value> {
    const values = new Set<Value>();
    const wild = wildPattern(pattern);
    const entry = { values, slot: wild === undefined ? undefined : this.#wild.add(wild, values) };
    this.#patterns.set(pattern, entry);
    return entry;
  }

  #find(topic: string): readonly Value[] {
    const found: ReadonlySet<Value>[] = [];
    // A topic has no wildcards, and neither has the pattern that equals it.
    const exact = this.#patterns.get(topic);
    if (exact !== undefined) found.push(exact.values);
    this.#wild.collect(topic.split('.'), found);
    const [first] = found;
    if (first === undefined) return NOBODY;
    if (found.length === 1) return Object.freeze([...first]);
    const all = new Set<Value>();
    for (const values of found) for (const value of values) all.add(value);
    return Object.freeze([...all]);
  }
}

/** Returns undefined for a pattern without wildcards. */
function wildPattern(pattern: string): WildPattern | undefined {
  const segments = pattern.split('.');
  const open = segments.at(-1) === '>';
  if (open) segments.pop();
  return open || segments.includes('*') ? { segments, open } : undefined;
}
