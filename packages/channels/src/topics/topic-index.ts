import { createPatternTrie, type PatternEntry } from './pattern-trie.ts';
import { createSegmentIds } from './segment-ids.ts';
import { createTopicCache, type TopicCache } from './topic-cache.ts';

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

/**
 * An index of patterns: those without wildcards in a map, the others in a trie by segment, and before both a
 * cache from topic to values that belongs to one generation of the index. A hit costs one look-up whatever the
 * number of patterns; a miss walks only what the topic's segments and the wildcards lead to.
 */
export function createTopicIndex<Value>(options: TopicIndexOptions = {}): TopicIndex<Value> {
  return new GenerationalIndex(options);
}

class GenerationalIndex<Value> implements TopicIndex<Value> {
  size = 0;
  readonly #patterns = new Map<string, PatternEntry<Value>>();
  readonly #wild = createPatternTrie<Value>();
  readonly #segments = createSegmentIds();
  readonly #cache: TopicCache<readonly Value[]>;
  #generation = 0;

  constructor(options: TopicIndexOptions) {
    this.#cache = createTopicCache(options.cachedTopics ?? 16_384);
  }

  add(pattern: string, value: Value): boolean {
    const entry = this.#patterns.get(pattern);
    if (entry?.values.has(value) === true) return false;
    if (entry !== undefined) entry.values.add(value);
    else this.#addPattern(pattern, { values: new Set([value]) });
    this.size++;
    this.#generation++;
    return true;
  }

  delete(pattern: string, value: Value): boolean {
    const entry = this.#patterns.get(pattern);
    if (entry?.values.delete(value) !== true) return false;
    if (entry.values.size === 0) this.#deletePattern(pattern);
    this.size--;
    this.#generation++;
    return true;
  }

  match(topic: string): readonly Value[] {
    const cached = this.#cache.get(topic, this.#generation);
    if (cached !== undefined) return cached;
    const values = this.#find(topic);
    this.#cache.set(topic, values);
    return values;
  }

  #find(topic: string): readonly Value[] {
    const found: PatternEntry<Value>[] = [];
    const exact = this.#patterns.get(topic);
    if (exact !== undefined) found.push(exact);
    this.#wild.collect(this.#segments.of(topic), found);
    const [first] = found;
    if (first === undefined) return NOBODY;
    if (found.length === 1) return Object.freeze([...first.values]);
    const all = new Set<Value>();
    for (const { values } of found) for (const value of values) all.add(value);
    return Object.freeze([...all]);
  }

  #addPattern(pattern: string, entry: PatternEntry<Value>): void {
    this.#patterns.set(pattern, entry);
    const wild = wildSegments(pattern);
    if (wild !== undefined) {
      this.#wild.insert({ ids: this.#segments.acquire(wild.segments), open: wild.open }, entry);
    }
  }

  #deletePattern(pattern: string): void {
    this.#patterns.delete(pattern);
    const wild = wildSegments(pattern);
    if (wild !== undefined) {
      this.#wild.remove({ ids: this.#segments.release(wild.segments), open: wild.open });
    }
  }
}

/** The segments of a pattern without its last `>`; undefined when it has no wildcard. */
function wildSegments(pattern: string): { readonly segments: string[]; readonly open: boolean } | undefined {
  const segments = pattern.split('.');
  const open = segments.at(-1) === '>';
  if (open) segments.pop();
  return open || segments.includes('*') ? { segments, open } : undefined;
}
