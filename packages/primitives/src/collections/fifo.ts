/** Shorter lists are not compacted. */
const COMPACT_AT = 1_024;

/** A first-in, first-out queue. The cost of both ends does not depend on its length. */
export class Fifo<Value> {
  #values: (Value | undefined)[] = [];
  /** The index of the first value in `#values`: shifting an array of thousands would copy it each time. */
  #start = 0;

  get length(): number {
    return this.#values.length - this.#start;
  }

  /** Returns the value that `shift` would return. */
  get first(): Value | undefined {
    return this.#values[this.#start];
  }

  push(value: Value): void {
    this.#values.push(value);
  }

  shift(): Value | undefined {
    if (this.length === 0) return undefined;
    const value = this.#values[this.#start];
    this.#values[this.#start] = undefined;
    this.#start++;
    if (this.length === 0) this.clear();
    else if (this.#start >= COMPACT_AT && this.#start * 2 >= this.#values.length) {
      this.#values = this.#values.slice(this.#start);
      this.#start = 0;
    }
    return value;
  }

  /** Puts a value before all others. */
  unshift(value: Value): void {
    if (this.#start > 0) this.#values[--this.#start] = value;
    else this.#values.unshift(value);
  }

  clear(): void {
    this.#values = [];
    this.#start = 0;
  }
}
