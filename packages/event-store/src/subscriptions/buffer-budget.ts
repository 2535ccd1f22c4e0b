/** The bytes that all subscriptions of a process may buffer together. */
export class BufferBudget {
  readonly #maxBytes: number;
  readonly #listeners = new Set<() => void>();
  #usedBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get hasRoom(): boolean {
    return this.#usedBytes < this.#maxBytes;
  }

  /** Notes that a subscription buffers more, or less. */
  add(bytes: number): void {
    const hadRoom = this.hasRoom;
    this.#usedBytes += bytes;
    if (hadRoom || !this.hasRoom) return;
    for (const listener of [...this.#listeners]) listener();
  }

  /** Calls `listener` when there is room again. Returns what removes it. */
  onRoom(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
