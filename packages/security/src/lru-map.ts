/** Maps at most `capacity` keys and evicts the least recently used one. Each call is O(1). */
export class LruMap<Key, Value> {
  readonly #entries: Map<Key, Value> = new Map();
  readonly #capacity: number;
  readonly #evicted: ((value: Value) => void) | undefined;

  constructor(capacity: number, evicted?: (value: Value) => void) {
    this.#capacity = capacity;
    this.#evicted = evicted;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: Key): Value | undefined {
    const value = this.#entries.get(key);
    if (value === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  /** `key` must not be in the map. */
  add(key: Key, value: Value): void {
    this.#entries.set(key, value);
    if (this.#entries.size <= this.#capacity) return;
    for (const [oldest, gone] of this.#entries) {
      this.#entries.delete(oldest);
      this.#evicted?.(gone);
      return;
    }
  }
}
