import type { DatabaseSync } from 'node:sqlite';
import type { KnownEvent } from '@esdb-gater/event-store';
import { prepareRows, type RowStatement } from './prepare-rows.ts';

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
  readonly #position: RowStatement<[position: number]>;
  readonly #event: RowStatement<Columns>;
  readonly #bytes: RowStatement<[contentType: string, bytes: Uint8Array]>;

  constructor(database: DatabaseSync) {
    // Nearly all ids are new, which the index alone can tell.
    this.#position = prepareRows(database, 'SELECT position FROM events WHERE id = ? AND stream = ?');
    this.#event = prepareRows(
      database,
      'SELECT version, position, type, data, metadata, tags FROM events WHERE position = ?',
    );
    this.#bytes = prepareRows(database, 'SELECT content_type, bytes FROM event_bytes WHERE position = ?');
  }

  find(stream: number, id: string): KnownEvent | undefined {
    const found = this.#position.get(id, stream);
    if (found === undefined) return undefined;
    const row = this.#event.get(found[0]);
    if (row === undefined) return undefined;
    const [version, position, type, data, metadata, tags] = row;
    const known = { version, position, type, data, metadata, tags };
    const bytes = data === '' ? this.#bytes.get(position) : undefined;
    if (bytes === undefined) return known;
    return { ...known, bytes: { contentType: bytes[0], base64: Buffer.from(bytes[1]).toString('base64') } };
  }
}
