/** A set of small integers: a list while it is small, bits when it has grown. */
export interface SlotSet {
  readonly size: number;
  add(slot: number): void;
  delete(slot: number): void;
  /** Sets the bits of all members. `words` must reach to the greatest. */
  orInto(words: Uint32Array): void;
  /** The members of a set of at most {@link SMALL}. */
  members(): readonly number[];
}

/** The largest set that is compared member by member. */
export const SMALL = 64;

/** Below this size a set becomes a list again; less than {@link SMALL}, so that it does not switch back and forth. */
const SHRINK = 32;

export function createSlotSet(): SlotSet {
  return new HybridSet();
}

class HybridSet implements SlotSet {
  size = 0;
  #list: number[] = [];
  #bits: Uint32Array | undefined;

  add(slot: number): void {
    this.size++;
    if (this.#bits === undefined) {
      this.#list.push(slot);
      if (this.size > SMALL) this.#grow();
      return;
    }
    const word = slot >>> 5;
    if (word >= this.#bits.length) this.#bits = widened(this.#bits, word + 1);
    this.#bits[word] = (this.#bits[word] as number) | (1 << (slot & 31));
  }

  delete(slot: number): void {
    this.size--;
    if (this.#bits === undefined) {
      const last = this.#list.pop() as number;
      const index = last === slot ? -1 : this.#list.indexOf(slot);
      if (index !== -1) this.#list[index] = last;
      return;
    }
    const word = slot >>> 5;
    this.#bits[word] = (this.#bits[word] as number) & ~(1 << (slot & 31));
    if (this.size < SHRINK) {
      this.#list = slotsOf(this.#bits);
      this.#bits = undefined;
    }
  }

  orInto(words: Uint32Array): void {
    const bits = this.#bits;
    if (bits === undefined) {
      for (const slot of this.#list) words[slot >>> 5] = (words[slot >>> 5] as number) | (1 << (slot & 31));
      return;
    }
    for (let at = 0; at < bits.length; at++) words[at] = (words[at] as number) | (bits[at] as number);
  }

  members(): readonly number[] {
    return this.#bits === undefined ? this.#list : slotsOf(this.#bits);
  }

  #grow(): void {
    const words = (Math.max(...this.#list) >>> 5) + 1;
    const bits = new Uint32Array(words);
    this.orInto(bits);
    this.#bits = bits;
    this.#list = [];
  }
}

/** The numbers of the bits that are set. */
export function slotsOf(words: Uint32Array): number[] {
  const slots: number[] = [];
  for (let at = 0; at < words.length; at++) {
    for (let word = words[at] as number; word !== 0; word &= word - 1) {
      slots.push(at * 32 + 31 - Math.clz32(word & -word));
    }
  }
  return slots;
}

function widened(bits: Uint32Array, words: number): Uint32Array {
  const wide = new Uint32Array(Math.max(words, bits.length * 2));
  wide.set(bits);
  return wide;
}
