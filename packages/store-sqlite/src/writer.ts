import type { DatabaseSync } from 'node:sqlite';
import { nextEpochUs, type StoredSnapshot } from '@esdb-gater/event-store';
import { GaterError } from '@esdb-gater/types';
import { AppendWriter } from './append-writer.ts';
import { readMeta, writeMeta } from './meta.ts';
import { unpackEvents } from './pack-events.ts';
import { SnapshotWriter } from './snapshot-rows.ts';
import { fromSqlite, sqliteCode } from './sqlite-errors.ts';
import type { AnswerMessage, CallMessage, ThreadAnswer, ThreadCall, WireError } from './thread-messages.ts';

/** SQLITE_CONSTRAINT: somebody else has written into the file, so what is cached is not what is there. */
const CONSTRAINT = 19;

/** Runs the calls that write: all of a message in one transaction, with one flush to the disk. */
export class Writer {
  readonly #database: DatabaseSync;
  readonly #file: string;
  readonly #appends: AppendWriter;
  readonly #snapshots: SnapshotWriter;
  #trouble: string | undefined;
  #probes = 0;

  constructor(database: DatabaseSync, file: string) {
    this.#database = database;
    this.#file = file;
    this.#appends = new AppendWriter(database, file);
    this.#snapshots = new SnapshotWriter(database);
  }

  run({ calls, nowMs }: CallMessage): AnswerMessage {
    const before = this.#appends.lastPosition;
    const answers = this.#transact(calls, nowMs);
    const committed = this.#appends.lastPosition;
    return {
      kind: 'answers',
      answers,
      last: true,
      ...(committed > before ? { committed } : {}),
      ...(this.#trouble === undefined ? {} : { trouble: this.#trouble }),
    };
  }

  close(): void {
    this.#database.close();
  }

  #transact(calls: readonly ThreadCall[], nowMs: number): ThreadAnswer[] {
    // A probe of a store that is well must not cost a flush.
    if (this.#trouble === undefined && calls.every(([, method]) => method === 'ping')) {
      return calls.map(([seq]) => [seq, true]);
    }
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      const answers = calls.map((call) => this.#answer(call, nowMs));
      this.#database.exec('COMMIT');
      this.#trouble = undefined;
      return answers;
    } catch (error) {
      const failure = this.#rollBack(error);
      // What one call brought upon the others is tried again without it, each call by itself.
      if (sqliteCode(error) === CONSTRAINT && calls.length > 1) {
        return calls.flatMap((call) => this.#transact([call], nowMs));
      }
      // Also for calls that were refused: the refusal may have rested on what was rolled back.
      return calls.map(([seq]) => [seq, undefined, failure]);
    }
  }

  /** The answer of one call. An error that is the caller's own does not touch the others of the transaction. */
  #answer(call: ThreadCall, nowMs: number): ThreadAnswer {
    try {
      return [call[0], this.#perform(call, nowMs)];
    } catch (error) {
      // Ours come before the first write of a call; what SQLite throws may come in the midst of one.
      if (!GaterError.is(error)) throw error;
      return [call[0], undefined, toWire(error)];
    }
  }

  #perform([, method, ...args]: ThreadCall, nowMs: number): unknown {
    switch (method) {
      case 'append': {
        const [streamId, expectedVersion, fields] = args as [string, number, readonly string[]];
        return this.#appends.append(streamId, expectedVersion, unpackEvents(fields), nowMs);
      }
      case 'deleteStream':
        return this.#appends.deleteStream(...(args as [string, number]));
      case 'recordSnapshot': {
        const [snapshot] = args as [Omit<StoredSnapshot, 'epochUs'>];
        this.#snapshots.put({ ...snapshot, epochUs: nextEpochUs(nowMs, 0) });
        return true;
      }
      case 'deleteSnapshot':
        return this.#snapshots.delete(...(args as [string, string, number]));
      case 'saveCheckpoint':
        this.#saveCheckpoint(args[0] as number);
        return true;
      case 'ping':
        this.#probes += 1;
        writeMeta(this.#database, 'write_probe', String(this.#probes));
        return true;
      default:
        throw new TypeError(`the writer has no method ${method}`);
    }
  }

  #saveCheckpoint(position: number): void {
    const saved = Number(readMeta(this.#database, 'feed_checkpoint', this.#file) ?? 0);
    if (position > saved) writeMeta(this.#database, 'feed_checkpoint', String(position));
  }

  #rollBack(cause: unknown): WireError {
    const error = fromSqlite(cause, this.#file);
    this.#trouble = error.message;
    try {
      // SQLite itself rolls back after some errors, a full disk among them.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      this.#appends.reload();
    } catch (second) {
      this.#trouble = `${error.message}; then ${fromSqlite(second, this.#file).message}`;
    }
    return toWire(error);
  }
}

export function toWire(error: GaterError): WireError {
  return { message: error.message, data: error.toData() };
}
