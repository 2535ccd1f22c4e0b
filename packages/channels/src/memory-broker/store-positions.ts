import { storePart } from './positions.ts';

/**
 * How far each store has been fed, at one moment. Never changes: every event makes the next one, so that a
 * record need not work out its position before somebody asks for it.
 */
export interface StorePositions {
  readonly storeIds: readonly string[];
  readonly positions: readonly number[];
  /** The vector with one store elsewhere. */
  with(storeId: string, position: number): StorePositions;
  get(storeId: string): number | undefined;
  /** The part of a position that names the stores. */
  text(): string;
}

class ArrayPositions implements StorePositions {
  /** Shared by all vectors over the same stores. */
  readonly storeIds: readonly string[];
  readonly positions: readonly number[];
  #text: string | undefined;

  constructor(storeIds: readonly string[], positions: readonly number[]) {
    this.storeIds = storeIds;
    this.positions = positions;
  }

  with(storeId: string, position: number): StorePositions {
    const index = this.storeIds.indexOf(storeId);
    if (index === -1) return new ArrayPositions([...this.storeIds, storeId], [...this.positions, position]);
    const positions = this.positions.slice();
    positions[index] = position;
    return new ArrayPositions(this.storeIds, positions);
  }

  get(storeId: string): number | undefined {
    const index = this.storeIds.indexOf(storeId);
    return index === -1 ? undefined : this.positions[index];
  }

  text(): string {
    if (this.#text === undefined) {
      let text = '';
      for (let at = 0; at < this.storeIds.length; at++) {
        text += storePart(this.storeIds[at] as string, this.positions[at] as number);
      }
      this.#text = text;
    }
    return this.#text;
  }
}

export const NO_STORES: StorePositions = new ArrayPositions([], []);

/** @param stores store id and position */
export function storePositions(stores: Iterable<readonly [string, number]>): StorePositions {
  const pairs = [...stores];
  return pairs.length === 0
    ? NO_STORES
    : new ArrayPositions(
        pairs.map(([storeId]) => storeId),
        pairs.map(([, position]) => position),
      );
}
