import type { DatabaseSync } from 'node:sqlite';
import type { PositionIndex, PositionList } from '@esdb-gater/event-store';
import { prepareRows, type RowStatement } from './prepare-rows.ts';

/** The positions that one look-up reads ahead at most, once a list is read one after the other. */
const MAX_READ_AHEAD = 256;

type Positions = RowStatement<[position: number]>;

/** Finds the positions of events by type and by tag. */
export class PositionLists implements PositionIndex {
  readonly #byType: Positions;
  readonly #byTag: Positions;

  constructor(database: DatabaseSync) {
    // The position is the row id, so the index by type has it.
    this.#byType = prepareRows(
      database,
      'SELECT position FROM events INDEXED BY events_by_type WHERE type = ? AND position >= ? ORDER BY position LIMIT ?',
    );
    this.#byTag = prepareRows(
      database,
      'SELECT position FROM event_tags WHERE tag = ? AND position >= ? ORDER BY position LIMIT ?',
    );
  }

  ofType(type: string): PositionList {
    return new StoredPositions(this.#byType, type);
  }

  ofTag(tag: string): PositionList {
    return new StoredPositions(this.#byTag, tag);
  }
}

/**
 * The list of one name. Reads more at a time while it is read one after the other, and only one position after a skip:
 * most of what it would read ahead would be skipped too.
 */
class StoredPositions implements PositionList {
  readonly #statement: Positions;
  readonly #name: string;
  #buffer: readonly [position: number][] = [];
  #index = 0;
  #limit = 1;
  #complete = false;

  constructor(statement: Positions, name: string) {
    this.#statement = statement;
    this.#name = name;
  }

  seek(from: number): number {
    for (; this.#index < this.#buffer.length; this.#index += 1) {
      const position = (this.#buffer[this.#index] as [number])[0];
      if (position >= from) return position;
    }
    if (this.#complete) return Number.POSITIVE_INFINITY;
    const next = (this.#buffer.at(-1)?.[0] ?? 0) + 1;
    this.#limit = from === next ? Math.min(this.#limit * 4, MAX_READ_AHEAD) : 1;
    this.#buffer = this.#statement.all(this.#name, from, this.#limit);
    this.#index = 0;
    this.#complete = this.#buffer.length < this.#limit;
    return this.#buffer[0]?.[0] ?? Number.POSITIVE_INFINITY;
  }
}
