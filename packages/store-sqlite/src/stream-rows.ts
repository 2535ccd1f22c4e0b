import type { DatabaseSync } from 'node:sqlite';
import type { StreamState } from '@esdb-gater/event-store';
import { streamChecksum } from './checksum.ts';
import { prepareRows, type RowStatement } from './prepare-rows.ts';
import { damaged } from './sqlite-errors.ts';

/** A stream's row in the file. */
export interface StreamRow extends StreamState {
  readonly id: number;
  /** The hash of its last event, once it is known. */
  readonly hash?: string;
}

type Columns = [id: number, hiddenThrough: number, checksum: number, version: number | null];

/** Reads streams by name. */
export class StreamRows {
  readonly #file: string;
  readonly #byName: RowStatement<Columns>;

  constructor(database: DatabaseSync, file: string) {
    this.#file = file;
    this.#byName = prepareRows(
      database,
      `SELECT id, hidden_through, checksum, (SELECT max(version) FROM events WHERE stream = streams.id)
       FROM streams WHERE name = ?`,
    );
  }

  /** Returns the stream's row. @throws `internal` when it does not match its checksum */
  find(name: string): StreamRow | undefined {
    const row = this.#byName.get(name);
    if (row === undefined) return undefined;
    const [id, hiddenThrough, checksum, version] = row;
    checkStreamRow(id, name, hiddenThrough, checksum, this.#file);
    if (version === null) throw damaged(this.#file, `the stream ${JSON.stringify(name)} has no events`);
    return { id, version, hiddenThrough };
  }
}

export function checkStreamRow(
  id: number,
  name: string,
  hiddenThrough: number,
  checksum: number,
  file: string,
): void {
  if (streamChecksum(id, name, hiddenThrough) === checksum) return;
  throw damaged(file, `the stream ${JSON.stringify(name)} does not match its checksum`);
}
