/**
 * The nodes whose records wait to be sent to the neighbours, each with those who need not be told because they told us.
 * Holds one entry per node, so it is bounded by the members.
 */
export class NewsQueue {
  readonly #waiting = new Map<string, Set<string>>();

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  /** @param source who told, if it was not this node itself */
  add(nodeId: string, source?: string): void {
    // What is known now replaces what waited, and nobody else knows it yet.
    this.#waiting.set(nodeId, new Set(source === undefined ? [] : [source]));
  }

  /** Notes that another node knows the news already. */
  knows(nodeId: string, source: string): void {
    this.#waiting.get(nodeId)?.add(source);
  }

  /** Takes up to `count` entries, the oldest first. */
  take(count: number): (readonly [nodeId: string, sources: ReadonlySet<string>])[] {
    const taken: (readonly [string, ReadonlySet<string>])[] = [];
    for (const entry of this.#waiting) {
      if (taken.length >= count) break;
      taken.push(entry);
      this.#waiting.delete(entry[0]);
    }
    return taken;
  }

  clear(): void {
    this.#waiting.clear();
  }
}
