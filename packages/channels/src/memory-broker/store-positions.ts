import { type StoreMark, storePart } from './positions.ts';

/**
 * How far each store has been fed, or read, at one moment. Immutable: every event makes the next one, so that a record
 * does not compute its position before somebody asks for it.
 */
export interface StorePositions {
  readonly storeIds: readonly string[];
  /** Returns the positions with another mark for one store. */
  with(storeId: string, mark: StoreMark): StorePositions;
  get(storeId: string): StoreMark | undefined;
  /** Returns the part of a position that names the stores. */
  text(): string;
}

class ArrayPositions implements StorePositions {
  /** Shared by all positions over the same stores. */
  readonly storeIds: readonly string[];
  readonly #marks: readonly StoreMark[];
  #text: string | undefined;

  constructor(storeIds: readonly string[], marks: readonly StoreMark[]) {
    this.storeIds = storeIds;
    this.#marks = marks;
  }

  with(storeId: string, mark: StoreMark): StorePositions {
    const index = this.storeIds.indexOf(storeId);
    if (index === -1) return new ArrayPositions([...this.storeIds, storeId], [...this.#marks, mark]);
    const marks = this.#marks.slice();
    marks[index] = mark;
    return new ArrayPositions(this.storeIds, marks);
  }

  get(storeId: string): StoreMark | undefined {
    const index = this.storeIds.indexOf(storeId);
    return index === -1 ? undefined : this.#marks[index];
  }

  text(): string {
    if (this.#text === undefined) {
      let text = '';
      for (let at = 0; at < this.storeIds.length; at++) {
        text += storePart(this.storeIds[at] as string, this.#marks[at] as StoreMark);
      }
      this.#text = text;
    }
    return this.#text;
  }
}

/** The positions without any store. */
export const NO_STORES: StorePositions = new ArrayPositions([], []);

/**
 * Creates positions.
 *
 * @param stores store id and mark
 */
export function storePositions(stores: Iterable<readonly [string, StoreMark]>): StorePositions {
  const pairs = [...stores];
  return pairs.length === 0
    ? NO_STORES
    : new ArrayPositions(
        pairs.map(([storeId]) => storeId),
        pairs.map(([, mark]) => mark),
      );
}
