/** A binary heap: gives back the item with the smallest key first. */
export class Heap<Item> {
  readonly #items: { readonly key: number; readonly item: Item }[] = [];

  get size(): number {
    return this.#items.length;
  }

  /** The smallest key; infinite when the heap is empty. */
  get firstKey(): number {
    return this.#items[0]?.key ?? Number.POSITIVE_INFINITY;
  }

  get first(): Item | undefined {
    return this.#items[0]?.item;
  }

  push(key: number, item: Item): void {
    const items = this.#items;
    let at = items.length;
    items.push({ key, item });
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((items[parent]?.key ?? 0) <= key) break;
      this.#swap(at, parent);
      at = parent;
    }
  }

  pop(): Item | undefined {
    const items = this.#items;
    const first = items[0];
    const last = items.pop();
    if (first === undefined || last === undefined) return undefined;
    if (items.length === 0) return first.item;
    items[0] = last;
    this.#sink(last.key);
    return first.item;
  }

  clear(): void {
    this.#items.length = 0;
  }

  #sink(key: number): void {
    const items = this.#items;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const right = left + 1;
      const keyAt = (index: number): number => items[index]?.key ?? Number.POSITIVE_INFINITY;
      const least = keyAt(right) < keyAt(left) ? right : left;
      if (keyAt(least) >= key) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #swap(one: number, other: number): void {
    const items = this.#items;
    const kept = items[one] as (typeof items)[number];
    items[one] = items[other] as (typeof items)[number];
    items[other] = kept;
  }
}
