import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { KnownEvent } from '@esdb-gater/event-store';

type Columns = [
  streamId: string,
  version: number,
  position: number,
  type: string,
  data: string,
  metadata: string,
  tags: string,
];

/** Finds stored events by their ids, for idempotence. */
export class KnownEvents {
  readonly #position: StatementSync;
  readonly #event: StatementSync;

  constructor(database: DatabaseSync) {
    // Nearly all ids are new, which the index alone can tell.
    this.#position = database.prepare('SELECT position FROM events WHERE id = ?');
    this.#position.setReturnArrays(true);
    this.#event = database.prepare(
      `SELECT name, version, position, type, data, metadata, tags
       FROM events JOIN streams ON streams.id = events.stream WHERE position = ?`,
    );
    this.#event.setReturnArrays(true);
  }

  find(id: string): KnownEvent | undefined {
    const found = this.#position.get(id) as unknown as [number] | undefined;
    if (found === undefined) return undefined;
    const row = this.#event.get(found[0]) as unknown as Columns | undefined;
    if (row === undefined) return undefined;
    const [streamId, version, position, type, data, metadata, tags] = row;
    return { streamId, version, position, type, data, metadata, tags };
  }
}
