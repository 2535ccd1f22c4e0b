import { GenerationMap } from '@esdb-gater/primitives';
import { createPatternTable, type WildPattern } from './pattern-table.ts';

/** Which values asked for a topic. A value is a subscriber, and may stand under many patterns. */
export interface TopicIndex<Value> {
  /** How many pairs of pattern and value there are. */
  readonly size: number;
  /** False when this value already stands under this pattern. The pattern must be valid. */
  add(pattern: string, value: Value): boolean;
  /** False when this value does not stand under this pattern. */
  delete(pattern: string, value: Value): boolean;
  /**
   * The values with at least one pattern that matches, each once. The array is shared with later calls and never
   * changes: a change of the index makes a new one. The topic must be valid.
   */
  match(topic: string): readonly Value[];
}

export interface TopicIndexOptions {
  /** Topics whose answer is remembered, at most. @default 16 384 */
  readonly cachedTopics?: number;
}

const NOBODY: readonly never[] = Object.freeze([]);

/** A pattern that somebody asked for. */
interface Entry<Value> {
  readonly values: Set<Value>;
  /** Where it stands in the table of patterns with wildcards. */
  readonly slot: number | undefined;
}

/**
 * An index of patterns: those without wildcards in a map, the others in a table by segment, and before both a
 * cache from topic to values, which every change of the index empties. A hit costs one look-up whatever the number
 * of patterns.
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
    // A topic has no wildcards, so the pattern that equals it has none either.
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

/** Undefined for a pattern without wildcards. */
function wildPattern(pattern: string): WildPattern | undefined {
  const segments = pattern.split('.');
  const open = segments.at(-1) === '>';
  if (open) segments.pop();
  return open || segments.includes('*') ? { segments, open } : undefined;
}
