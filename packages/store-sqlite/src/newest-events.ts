import type { StorePage } from '@esdb-gater/types';
import { NEWEST_UNITS } from './written-texts.ts';

/** Dropped texts are removed from the front of the list once there are this many. */
const DROPPED_TEXTS = 1_024;

/** Keeps the texts of the newest events of a store, one after the other without a gap, up to `NEWEST_UNITS`. */
export class NewestEvents {
  #texts: string[] = [];
  /** Where the list begins: what is before was dropped. */
  #start = 0;
  #units = 0;
  /** The position of the last text. */
  #last = 0;

  /** Adds the events up to `last`. Without their texts, or after a gap, it forgets what it had. */
  add(last: number, texts: readonly string[] = []): void {
    if (this.#last !== last - texts.length || texts.length === 0) this.clear();
    this.#last = last;
    for (const text of texts) {
      this.#texts.push(text);
      this.#units += text.length;
    }
    while (this.#units > NEWEST_UNITS) {
      this.#units -= this.#texts[this.#start]?.length ?? 0;
      this.#start += 1;
    }
    if (this.#start < DROPPED_TEXTS) return;
    this.#texts = this.#texts.slice(this.#start);
    this.#start = 0;
  }

  clear(): void {
    this.#texts = [];
    this.#start = 0;
    this.#units = 0;
  }

  /** Returns the page of the events after a position; undefined unless there are some, and all of them are kept. */
  page(after: number, limit: number): StorePage | undefined {
    const kept = this.#texts.length - this.#start;
    const behind = this.#last - after;
    if (behind < 1 || behind > kept) return undefined;
    const from = this.#texts.length - behind;
    const texts = this.#texts.slice(from, from + limit);
    const events = JSON.parse(`[${texts.join(',')}]`) as StorePage['events'];
    const lastPosition = after + texts.length;
    return lastPosition === this.#last
      ? { events, lastPosition }
      : { events, lastPosition, next: lastPosition };
  }
}
