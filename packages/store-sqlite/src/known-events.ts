import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { KnownEvent } from '@esdb-gater/event-store';

type Columns = [
  version: number,
  position: number,
  type: string,
  data: string,
  metadata: string,
  tags: string,
];

/** Finds the events of a stream by their ids, for idempotence. */
export class KnownEvents {
  readonly #position: StatementSync;
  readonly #event: StatementSync;

  constructor(database: DatabaseSync) {
    // Nearly all ids are new, which the index alone can tell.
    this.#position = database.prepare('SELECT position FROM events WHERE id = ? AND stream = ?');
    this.#position.setReturnArrays(true);
    this.#event = database.prepare(
      'SELECT version, position, type, data, metadata, tags FROM events WHERE position = ?',
    );
    this.#event.setReturnArrays(true);
  }

  find(stream: number, id: string): KnownEvent | undefined {
    const found = this.#position.get(id, stream) as unknown as [number] | undefined;
    if (found === undefined) return undefined;
    const row = this.#event.get(found[0]) as unknown as Columns | undefined;
    if (row === undefined) return undefined;
    const [version, position, type, data, metadata, tags] = row;
    return { version, position, type, data, metadata, tags };
  }
}
