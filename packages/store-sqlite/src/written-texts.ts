/**
 * The most that one message carries back, in UTF-16 units, and the most that a store keeps. Whoever is further behind reads
 * the file.
 */
export const NEWEST_UNITS = 1_048_576;

/**
 * Collects the texts of the events that the transactions of one message write, for whoever publishes them next: they were
 * encoded to be written, and need not be read again.
 */
export class WrittenTexts {
  /** Undefined while nobody wants them, and once they are too long. */
  #texts: string[] | undefined;
  #committed = 0;
  #units = 0;

  /** Begins a message. */
  begin(wanted: boolean): void {
    this.#texts = wanted ? [] : undefined;
    this.#committed = 0;
    this.#units = 0;
  }

  get wanted(): boolean {
    return this.#texts !== undefined;
  }

  add(text: string): void {
    this.#units += text.length;
    if (this.#units > NEWEST_UNITS) this.#texts = undefined;
    else this.#texts?.push(text);
  }

  /** Keeps what was added: its transaction is on the disk. */
  commit(): void {
    this.#committed = this.#texts?.length ?? 0;
  }

  /** Drops what was added since the last commit. */
  rollBack(): void {
    this.#texts?.splice(this.#committed);
  }

  /** Returns the committed texts, in the order of their positions; undefined when they are not wanted or too long. */
  take(): readonly string[] | undefined {
    const texts = this.#texts;
    this.#texts = undefined;
    return texts;
  }
}
