/**
 * A bounded map of the recently used entries. When the young generation has `size` entries, it becomes the old
 * generation, and the former old one is dropped as a whole. So the map holds at least the last `size` used entries and
 * at most twice as many, without a list of uses as an LRU cache has. A value of undefined counts as absent.
 */
export class GenerationMap<Key, Value> {
  readonly #size: number;
  #young = new Map<Key, Value>();
  #old = new Map<Key, Value>();

  /** @param size of one generation, at least 1. With `Infinity` only {@link rotate} ends one */
  constructor(size: number) {
    this.#size = size;
  }

  /** The value of the key, which counts as used. */
  get(key: Key): Value | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  /** The value that the key has in the young generation. Does not count as a use. */
  peekYoung(key: Key): Value | undefined {
    return this.#young.get(key);
  }

  /** The value that the key has in the old generation, even if the young one has another. Does not count as a use. */
  peekOld(key: Key): Value | undefined {
    return this.#old.get(key);
  }

  set(key: Key, value: Value): void {
    if (this.#young.size >= this.#size) this.rotate();
    this.#young.set(key, value);
  }

  /** Forgets the old generation; the young one becomes the old one. */
  rotate(): void {
    this.#old = this.#young;
    this.#young = new Map();
  }

  /** Drops all entries. */
  clear(): void {
    // New maps rather than cleared ones: the memory of large ones is freed.
    this.#young = new Map();
    this.#old = new Map();
  }
}

/**
 * The set that corresponds to {@link GenerationMap}: knows at least the last `size` added keys, and at most twice as
 * many.
 */
export class GenerationSet<Key> {
  readonly #size: number;
  #young = new Set<Key>();
  #old = new Set<Key>();

  /** @param size of one generation. With 0 nothing is remembered, with `Infinity` only {@link rotate} ends one */
  constructor(size: number) {
    this.#size = size;
  }

  /** Adds the key, which counts as used. @returns true when it was not known */
  add(key: Key): boolean {
    if (this.#size === 0) return true;
    if (this.#young.has(key)) return false;
    const known = this.#old.has(key);
    if (this.#young.size >= this.#size) this.rotate();
    this.#young.add(key);
    return !known;
  }

  /** Forgets the old generation; the young one becomes the old one. */
  rotate(): void {
    this.#old = this.#young;
    this.#young = new Set();
  }
}
