import { CHAIN_START, chainHash, eventCore } from '@esdb-gater/event-store';
import type { CallContext, VerifyStreamResult } from '@esdb-gater/types';
import { type EventColumns, selectColumns, storedEvent } from './event-rows.ts';
import type { QueryRunner } from './query-runner.ts';

/** The events that one statement reads. */
const EVENTS_PER_READ = 500;

type HashedColumns = readonly [hash: string | null, ...event: EventColumns];
type StreamColumns = readonly [
  id: number,
  version: number,
  firstVersion: number | null,
  lastHash: number | null,
];

/** Checks the chains of hashes: every event as a reader sees it, and that none is missing. */
export class ChainVerifier {
  readonly #run: QueryRunner;
  readonly #streamSql: string;
  readonly #eventsSql: string;

  /** @param schema as SQL */
  constructor(schema: string, run: QueryRunner) {
    this.#run = run;
    this.#streamSql = `SELECT id, coalesce((SELECT max(version) FROM ${schema}.events WHERE stream = streams.id), -1),
      (SELECT version FROM ${schema}.events WHERE stream = streams.id
        AND position >= (SELECT chain_start FROM ${schema}.store) ORDER BY version LIMIT 1),
      (SELECT max(version) FROM ${schema}.event_hashes WHERE stream = streams.id)
      FROM ${schema}.streams WHERE name = $1`;
    this.#eventsSql = `SELECT h.hash, p.* FROM (${selectColumns(
      schema,
      { where: 'e.stream = $1 AND e.version >= $2 AND e.version <= $3', order: 'e.version' },
      EVENTS_PER_READ,
    )}) p LEFT JOIN ${schema}.event_hashes h ON h.stream = $1 AND h.version = p.version ORDER BY p.version`;
  }

  /** Checks a stream that exists. */
  async verify(streamId: string, context?: CallContext): Promise<VerifyStreamResult> {
    const [stream] = await this.#run<StreamColumns>(this.#streamSql, [streamId], context);
    if (stream === undefined) return { verified: true };
    const [id, newest, firstVersion, lastHash] = stream;
    let hash = CHAIN_START;
    let version = firstVersion ?? newest + 1;
    while (version <= newest) {
      const rows = await this.#run<HashedColumns>(this.#eventsSql, [id, version, newest], context);
      if (rows.length === 0) return { verified: false, brokenAt: version };
      for (const [stored, ...columns] of rows) {
        const next = columns[1] === version ? hashOf(hash, columns) : undefined;
        if (next === undefined || next !== stored) return { verified: false, brokenAt: version };
        hash = next;
        version += 1;
      }
    }
    // A hash without its event: the end of the stream is missing.
    if (lastHash !== null && lastHash > newest) return { verified: false, brokenAt: newest + 1 };
    return { verified: true };
  }
}

/** Returns the hash of an event; undefined when it cannot be read, and so is not what was written. */
function hashOf(before: string, columns: EventColumns): string | undefined {
  try {
    const stored = storedEvent(columns);
    return chainHash(before, eventCore(stored), stored.epochUs);
  } catch {
    return undefined;
  }
}
