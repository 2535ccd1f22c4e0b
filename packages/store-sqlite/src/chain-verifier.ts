import type { DatabaseSync } from 'node:sqlite';
import { CHAIN_START, chainHash } from '@esdb-gater/event-store';
import { type EventRow, READ_COLUMNS, readEventRow, streamPart } from './event-row.ts';
import { readChainStart } from './meta.ts';
import { prepareRows, type RowStatement } from './prepare-rows.ts';
import type { StreamRow } from './stream-rows.ts';

/** The events that are checked in one call, so that other reads get their turn in between. */
const EVENTS_PER_CALL = 500;

/** How far the check of a stream has come: the next version, and the hash before it. */
export interface ChainState {
  readonly version: number;
  readonly hash: string;
}

/** `next` is where to go on; without it the stream was checked to its end. */
export interface ChainCheck {
  readonly next?: ChainState;
  readonly brokenAt?: number;
}

type HashedRow = readonly [...EventRow, hash: string | null];

/** Checks the chains of hashes: every event as a reader sees it, and that none is missing. */
export class ChainVerifier {
  readonly #database: DatabaseSync;
  readonly #file: string;
  readonly #rows: RowStatement<HashedRow>;
  readonly #position: RowStatement<[position: number]>;
  readonly #last: RowStatement<[hashed: number | null, version: number]>;

  constructor(database: DatabaseSync, file: string) {
    this.#database = database;
    this.#file = file;
    this.#rows = prepareRows(
      database,
      `SELECT ${READ_COLUMNS},
         (SELECT hash FROM event_hashes WHERE stream = events.stream AND version = events.version)
       FROM events WHERE stream = ? AND version >= ? ORDER BY version LIMIT ?`,
    );
    this.#position = prepareRows(database, 'SELECT position FROM events WHERE stream = ? AND version = ?');
    // In one statement, so that no append comes between.
    this.#last = prepareRows(
      database,
      `SELECT (SELECT max(version) FROM event_hashes WHERE stream = streams.id),
         (SELECT max(version) FROM events WHERE stream = streams.id) FROM streams WHERE id = ?`,
    );
  }

  /** Checks the next events of a stream. */
  check(stream: StreamRow, name: string, state: ChainState | undefined): ChainCheck {
    const from = state ?? { version: this.#firstVersion(stream), hash: CHAIN_START };
    const part = streamPart('', name);
    let { version, hash } = from;
    for (const row of this.#rows.all(stream.id, from.version, EVENTS_PER_CALL)) {
      const [, , found, epochUs] = row;
      const stored = row[6];
      if (found !== version) return { brokenAt: version };
      try {
        const [position, streamId, at, time, checksum, text] = row;
        const core = readEventRow([position, streamId, at, time, checksum, text], part, this.#file);
        hash = chainHash(hash, `"streamId":${JSON.stringify(name)},${core}`, epochUs);
      } catch {
        // Whatever cannot be read is not what was written.
        return { brokenAt: version };
      }
      if (hash !== stored) return { brokenAt: version };
      version += 1;
    }
    if (version <= stream.version) return { next: { version, hash } };
    const [hashed, last] = this.#last.get(stream.id) ?? [null, stream.version];
    return hashed !== null && hashed > last ? { brokenAt: last + 1 } : {};
  }

  /** Returns the version of the first event of a stream that has a hash. */
  #firstVersion(stream: StreamRow): number {
    const start = readChainStart(this.#database, this.#file) ?? Number.POSITIVE_INFINITY;
    let low = 0;
    let high = stream.version + 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      // A missing event counts as one of the chain, which then is broken there.
      const position = this.#position.get(stream.id, middle)?.[0] ?? Number.POSITIVE_INFINITY;
      if (position < start) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
