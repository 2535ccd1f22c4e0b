/**
 * Remembers the last `most` keys. Two generations instead of a list of ages: a key is forgotten after `most` to
 * twice as many others, at about 100 ns each.
 */
export class RecentSet {
  readonly #most: number;
  #young = new Set<string>();
  #old = new Set<string>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Adds the key. True when it was new. */
  add(key: string): boolean {
    if (this.#most === 0) return true;
    if (this.#young.has(key)) return false;
    const known = this.#old.has(key);
    this.#young.add(key);
    if (this.#young.size >= this.#most) {
      this.#old = this.#young;
      this.#young = new Set();
    }
    return !known;
  }
}
