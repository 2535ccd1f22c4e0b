import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { nextEpochUs } from '@esdb-gater/event-store';
import { isFurther } from '@esdb-gater/primitives';
import { type FeedPosition, GaterError } from '@esdb-gater/types';
import { AppendWriter, type WriterSetup } from './append-writer.ts';
import { readFeedPosition, writeMeta } from './meta.ts';
import { OpenedFiles } from './opened-files.ts';
import { unpackEvents } from './pack-events.ts';
import { SnapshotWriter } from './snapshot-rows.ts';
import { damaged, fromSqlite, isBusy, sqliteCode } from './sqlite-errors.ts';
import { SubscriptionWriter } from './subscription-rows.ts';
import type {
  AnswerMessage,
  CallMessage,
  CallOf,
  ResultOf,
  ThreadAnswer,
  WireError,
  WriterCalls,
} from './thread-messages.ts';

type WriterCall = CallOf<WriterCalls>;

/** SQLITE_CONSTRAINT: another program wrote to the file, so the cache is stale. */
const CONSTRAINT = 19;

/** Runs the calls that write: all calls of a message in one transaction, with one flush to the disk. */
export class Writer {
  readonly #database: DatabaseSync;
  readonly #file: string;
  readonly #appends: AppendWriter;
  readonly #snapshots: SnapshotWriter;
  readonly #subscriptions: SubscriptionWriter;
  readonly #files: OpenedFiles;
  /** Prepared, as `exec` parses its text each time. */
  readonly #beginImmediate: StatementSync;
  readonly #commit: StatementSync;
  #trouble: string | undefined;
  #damage: string | undefined;
  #probes = 0;

  constructor(database: DatabaseSync, setup: WriterSetup) {
    const { file } = setup;
    this.#database = database;
    this.#file = file;
    this.#appends = new AppendWriter(database, setup);
    this.#snapshots = new SnapshotWriter(database);
    this.#subscriptions = new SubscriptionWriter(database, file);
    this.#files = new OpenedFiles(file);
    this.#beginImmediate = database.prepare('BEGIN IMMEDIATE');
    this.#commit = database.prepare('COMMIT');
  }

  /** Runs a message. Returns undefined, with nothing done, while another program holds the write lock. */
  run({ calls, nowMs, withEvents = false }: CallMessage<WriterCall>): AnswerMessage | undefined {
    const { written } = this.#appends;
    written.begin(withEvents);
    const before = this.#appends.lastPosition;
    const problem = this.#files.problem();
    if (problem !== undefined) this.#damage ??= damaged(this.#file, problem).message;
    if (this.#damage === undefined && !this.#begin(calls)) return undefined;
    const answers = this.#damage === undefined ? this.#transact(calls, nowMs) : this.#refuse(calls);
    const committed = this.#appends.lastPosition;
    const events = written.take();
    return {
      kind: 'answers',
      answers,
      last: true,
      ...(committed > before ? { committed } : {}),
      ...(committed > before && events !== undefined ? { events } : {}),
      ...(this.#trouble === undefined ? {} : { trouble: this.#trouble }),
      ...(this.#damage === undefined ? {} : { damage: this.#damage }),
    };
  }

  /** Refuses a message that has waited too long for the write lock. */
  refuseLocked({ calls }: CallMessage<WriterCall>): AnswerMessage {
    const error = this.lockedError();
    this.#trouble = error.message;
    const answers = calls.map(([seq]): ThreadAnswer => [seq, undefined, toWire(error)]);
    return { kind: 'answers', answers, last: true, trouble: error.message };
  }

  lockedError(): GaterError {
    return new GaterError(
      'unavailable',
      `the file ${this.#file} is locked by another program that writes to it`,
    );
  }

  close(): void {
    this.#database.close();
  }

  /** Begins the transaction of a message. Returns false when another program holds the write lock. */
  #begin(calls: readonly WriterCall[]): boolean {
    if (this.#isIdleProbe(calls)) return true;
    try {
      this.#beginImmediate.run();
    } catch (error) {
      // The transaction reports every other error when it begins again.
      return !isBusy(error);
    }
    return true;
  }

  /** A probe of a healthy store must not cost a flush. */
  #isIdleProbe(calls: readonly WriterCall[]): boolean {
    return this.#trouble === undefined && calls.every(([, method]) => method === 'ping');
  }

  /** Answers the calls to a damaged file: it can still be probed and read. */
  #refuse(calls: readonly WriterCall[]): ThreadAnswer[] {
    const error = toWire(new GaterError('internal', this.#damage as string));
    return calls.map(([seq, method]) => (method === 'ping' ? [seq, true] : [seq, undefined, error]));
  }

  #transact(calls: readonly WriterCall[], nowMs: number): ThreadAnswer[] {
    if (this.#isIdleProbe(calls)) return calls.map(([seq]) => [seq, true]);
    try {
      if (!this.#database.isTransaction) this.#beginImmediate.run();
      const answers = calls.map((call) => this.#answer(call, nowMs));
      this.#commit.run();
      this.#appends.written.commit();
      this.#trouble = undefined;
      return answers;
    } catch (error) {
      const failure = this.#rollBack(error);
      // One call made the others fail: retry each call in its own transaction.
      if (sqliteCode(error) === CONSTRAINT && calls.length > 1) {
        return calls.flatMap((call) => this.#transact([call], nowMs));
      }
      // This includes refused calls: the refusal may have depended on what was rolled back.
      return calls.map(([seq]) => [seq, undefined, failure]);
    }
  }

  /** Answers one call. An error of the caller does not affect the other calls of the transaction. */
  #answer(call: WriterCall, nowMs: number): ThreadAnswer {
    try {
      return [call[0], this.#perform(call, nowMs)];
    } catch (error) {
      // A GaterError is thrown before the first write of a call; SQLite may throw after some writes.
      if (!GaterError.is(error)) throw error;
      if (error.code === 'internal') this.#damage = error.message;
      return [call[0], undefined, toWire(error)];
    }
  }

  #perform(call: WriterCall, nowMs: number): ResultOf<WriterCalls> {
    switch (call[1]) {
      case 'append': {
        const [, , streamId, expectedVersion, fields, condition] = call;
        return this.#appends.append(streamId, expectedVersion, unpackEvents(fields), nowMs, condition);
      }
      case 'appendToStreams': {
        const [, , appends, condition] = call;
        const requests = appends.map(([streamId, expectedVersion, fields]) => ({
          streamId,
          expectedVersion,
          events: unpackEvents(fields),
        }));
        return this.#appends.appendToStreams(requests, nowMs, condition);
      }
      case 'deleteStream': {
        const [, , streamId, expectedVersion] = call;
        return this.#appends.deleteStream(streamId, expectedVersion);
      }
      case 'recordSnapshot':
        this.#snapshots.put({ ...call[2], epochUs: nextEpochUs(nowMs, 0) });
        return true;
      case 'deleteSnapshot': {
        const [, , sourceUuid, streamUuid, version] = call;
        return this.#snapshots.delete(sourceUuid, streamUuid, version);
      }
      case 'saveCheckpoint':
        this.#saveCheckpoint(call[2]);
        return true;
      case 'createSubscription':
        return this.#subscriptions.create(call[2]);
      case 'saveSubscriptionCheckpoint':
        this.#subscriptions.saveCheckpoint(call[2], call[3]);
        return true;
      case 'resetSubscription':
        this.#subscriptions.reset(call[2], call[3], call[4]);
        return true;
      case 'removeSubscription':
        return this.#subscriptions.remove(call[2], call[3]);
      case 'park':
        this.#subscriptions.park(call[2], call[3]);
        return true;
      case 'markReplay':
        return this.#subscriptions.markReplay(call[2], call[3], call[4]);
      case 'unpark':
        this.#subscriptions.unpark(call[2], call[3]);
        return true;
      case 'ping':
        this.#probes += 1;
        writeMeta(this.#database, 'write_probe', String(this.#probes));
        return true;
    }
  }

  #saveCheckpoint(position: FeedPosition): void {
    const saved = readFeedPosition(this.#database, this.#file);
    if (isFurther(position, saved)) writeMeta(this.#database, 'feed_checkpoint', JSON.stringify(position));
  }

  #rollBack(cause: unknown): WireError {
    const error = fromSqlite(cause, this.#file);
    this.#trouble = error.message;
    if (error.code === 'internal') this.#damage = error.message;
    try {
      // SQLite rolls back by itself after some errors, such as a full disk.
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
