import type { DatabaseSync } from 'node:sqlite';
import type { KnownEvent } from '@esdb-gater/event-store';
import { prepareRows, type RowStatement } from './prepare-rows.ts';

type Columns = [
  streamId: string,
  version: number,
  position: number,
  type: string,
  data: string,
  metadata: string,
  tags: string,
];

/** Finds events by their ids, for idempotence. */
export class KnownEvents {
  readonly #position: RowStatement<[position: number]>;
  readonly #event: RowStatement<Columns>;

  constructor(database: DatabaseSync) {
    // Nearly always the answer is that there is none, which the index alone can say.
    this.#position = prepareRows(database, 'SELECT position FROM events WHERE id = ?');
    this.#event = prepareRows(
      database,
      `SELECT name, version, position, type, data, metadata, tags
       FROM events JOIN streams ON streams.id = events.stream WHERE position = ?`,
    );
  }

  find(id: string): KnownEvent | undefined {
    const found = this.#position.get(id);
    if (found === undefined) return undefined;
    const row = this.#event.get(found[0]);
    if (row === undefined) return undefined;
    const [streamId, version, position, type, data, metadata, tags] = row;
    return { streamId, version, position, type, data, metadata, tags };
  }
}
