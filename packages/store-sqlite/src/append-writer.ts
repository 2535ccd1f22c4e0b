import type { DatabaseSync, StatementSync } from 'node:sqlite';
import {
  type AppendRequest,
  chainHash,
  checkDeleteVersion,
  checkedResult,
  type EncodedEvent,
  eventCore,
  eventText,
  type KnownEvent,
  MISSING_STREAM,
  nextEpochUs,
  planAppend,
  planAppends,
  type StoredEvent,
} from '@esdb-gater/event-store';
import { GenerationMap } from '@esdb-gater/primitives';
import type { StreamAppendResult } from '@esdb-gater/types';
import { ChainRows } from './chain-rows.ts';
import { checksum, streamChecksum } from './checksum.ts';
import { Conditions, type KnownCondition, UNCHECKED, type Unchecked } from './conditions.ts';
import { EVENT_COLUMNS } from './event-row.ts';
import { KnownEvents } from './known-events.ts';
import { type StreamRow, StreamRows } from './stream-rows.ts';
import type { ThreadSetup } from './thread-messages.ts';
import { WrittenTexts } from './written-texts.ts';

/** The number of streams whose versions are cached. */
const CACHED_STREAMS = 50_000;

/** What a writer must know of its store. */
export type WriterSetup = Pick<ThreadSetup, 'file' | 'storeId' | 'tamperEvident'>;

/** The members of a `StreamAppendResult`; the position is 0 where it has none. */
export type AppendAnswer = readonly [version: number, position: number, count: number, duplicate: boolean];

function answerOf({ version, position = 0, count, duplicate }: StreamAppendResult): AppendAnswer {
  return [version, position, count, duplicate];
}

/** Appends to streams and deletes them, within a transaction of the caller. Its cache includes uncommitted changes. */
export class AppendWriter {
  /** The texts of what is written, while somebody wants them. */
  readonly written: WrittenTexts = new WrittenTexts();
  readonly #database: DatabaseSync;
  readonly #storeId: string;
  readonly #streamRows: StreamRows;
  readonly #known: KnownEvents;
  /** Undefined when the store is not tamper-evident. */
  readonly #chains: ChainRows | undefined;
  readonly #conditions: Conditions;
  readonly #insertEvent: StatementSync;
  readonly #insertTag: StatementSync;
  readonly #insertBytes: StatementSync;
  readonly #insertStream: StatementSync;
  readonly #hideStream: StatementSync;
  readonly #streams = new GenerationMap<string, StreamRow>(CACHED_STREAMS);
  #lastPosition = 0;
  #lastStream = 0;
  #lastEpochUs = 0;

  constructor(database: DatabaseSync, { file, storeId, tamperEvident }: WriterSetup) {
    this.#database = database;
    this.#storeId = storeId;
    this.#streamRows = new StreamRows(database, file);
    this.#known = new KnownEvents(database);
    this.#chains = tamperEvident ? new ChainRows(database) : undefined;
    this.#conditions = new Conditions(database);
    this.#insertEvent = database.prepare(
      `INSERT INTO events (${EVENT_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#insertTag = database.prepare('INSERT INTO event_tags (tag, position) VALUES (?, ?)');
    this.#insertBytes = database.prepare(
      'INSERT INTO event_bytes (position, content_type, bytes) VALUES (?, ?, ?)',
    );
    this.#insertStream = database.prepare(
      'INSERT INTO streams (id, name, hidden_through, checksum) VALUES (?, ?, -1, ?)',
    );
    this.#hideStream = database.prepare('UPDATE streams SET hidden_through = ?, checksum = ? WHERE id = ?');
    this.reload();
  }

  get lastPosition(): number {
    return this.#lastPosition;
  }

  /** Reloads the cached state from the file, as needed after a rollback. */
  reload(): void {
    this.written.rollBack();
    this.#streams.clear();
    const newest = this.#database
      // As a real number: an older version could write a time that is not a safe integer.
      .prepare(
        'SELECT position, CAST(epoch_us AS REAL) AS epoch_us FROM events ORDER BY position DESC LIMIT 1',
      )
      .get();
    this.#lastPosition = Number(newest?.['position'] ?? 0);
    this.#lastEpochUs = Number(newest?.['epoch_us'] ?? 0);
    this.#lastStream = Number(this.#database.prepare('SELECT max(id) AS id FROM streams').get()?.['id'] ?? 0);
  }

  /** Appends events. @throws `wrong_expected_version`, `stream_deleted`, `append_condition_failed`, `invalid_argument`, with nothing written */
  append(
    streamId: string,
    expectedVersion: number,
    events: readonly EncodedEvent[],
    nowMs: number,
    condition?: KnownCondition,
  ): AppendAnswer | Unchecked {
    const found = this.#stream(streamId);
    const request = { streamId, expectedVersion, events };
    const plan = planAppend(request, found ?? MISSING_STREAM, this.#knownIn(found));
    if (plan.kind === 'duplicate') return answerOf(plan.result);
    if (condition !== undefined && !this.#conditions.check(condition, this.#lastPosition)) return UNCHECKED;
    // Throws for an implausible clock, so it comes before the first write.
    this.#lastEpochUs = nextEpochUs(nowMs, this.#lastEpochUs);
    return this.#write(found, plan.firstVersion, request);
  }

  /** Appends to several streams, all or nothing. @throws what `append` throws, with nothing written */
  appendToStreams(
    requests: readonly AppendRequest[],
    nowMs: number,
    condition?: KnownCondition,
  ): readonly AppendAnswer[] | Unchecked {
    const rows = requests.map(({ streamId }) => this.#stream(streamId));
    const plan = planAppends(
      requests,
      (index) => rows[index] ?? MISSING_STREAM,
      (index) => this.#knownIn(rows[index]),
    );
    if (plan.kind === 'duplicate') return plan.results.map(answerOf);
    if (condition !== undefined && !this.#conditions.check(condition, this.#lastPosition)) return UNCHECKED;
    this.#lastEpochUs = nextEpochUs(nowMs, this.#lastEpochUs);
    return requests.map((request, index) => {
      const row = rows[index];
      if (request.events.length === 0) return answerOf(checkedResult(request, row ?? MISSING_STREAM));
      return this.#write(row, plan.firstVersions[index] as number, request);
    });
  }

  #knownIn(stream: StreamRow | undefined): (id: string) => KnownEvent | undefined {
    return (id) => (stream === undefined ? undefined : this.#known.find(stream.id, id));
  }

  #write(
    found: StreamRow | undefined,
    firstVersion: number,
    { streamId, events }: AppendRequest,
  ): AppendAnswer {
    const stream = found ?? this.#createStream(streamId);
    let version = firstVersion - 1;
    let hash = this.#chains && (stream.hash ?? this.#chains.hashOf(stream.id, version));
    for (const event of events) {
      version += 1;
      const [core, epochUs] = this.#insert(stream, streamId, version, event);
      if (this.#chains === undefined || hash === undefined) continue;
      hash = chainHash(hash, core, epochUs);
      this.#chains.insert(stream.id, version, hash);
    }
    this.#streams.set(streamId, { ...stream, version, ...(hash === undefined ? {} : { hash }) });
    return [version, this.#lastPosition, events.length, false];
  }

  /** Hides the events of a stream and returns its version. @throws `stream_not_found`, `stream_deleted`, `wrong_expected_version` */
  deleteStream(streamId: string, expectedVersion: number): number {
    const found = this.#stream(streamId);
    checkDeleteVersion(streamId, expectedVersion, found ?? MISSING_STREAM);
    const { id, version } = found as StreamRow;
    this.#hideStream.run(version, streamChecksum(id, streamId, version), id);
    this.#streams.set(streamId, { ...(found as StreamRow), hiddenThrough: version });
    return version;
  }

  #stream(name: string): StreamRow | undefined {
    const cached = this.#streams.get(name);
    if (cached !== undefined) return cached;
    const found = this.#streamRows.find(name);
    if (found !== undefined) this.#streams.set(name, found);
    return found;
  }

  #createStream(name: string): StreamRow {
    this.#lastStream += 1;
    this.#insertStream.run(this.#lastStream, name, streamChecksum(this.#lastStream, name, -1));
    return { id: this.#lastStream, ...MISSING_STREAM };
  }

  /** Inserts an event and returns its core and its time. */
  #insert(
    stream: StreamRow,
    streamId: string,
    version: number,
    event: EncodedEvent,
  ): readonly [core: string, epochUs: number] {
    this.#lastPosition += 1;
    const position = this.#lastPosition;
    const epochUs = this.#lastEpochUs;
    const { id, type, data, bytes, metadata, tags } = event;
    const stored: StoredEvent = { streamId, version, position, id, type, data, metadata, tags, epochUs };
    const core = eventCore(bytes === undefined ? stored : { ...stored, bytes });
    // In the order of EVENT_COLUMNS. Inserting one row at a time measured faster than any multi-row statement.
    this.#insertEvent.run(
      position,
      stream.id,
      version,
      id,
      type,
      data,
      metadata,
      tags,
      epochUs,
      checksum(core),
    );
    if (bytes !== undefined) {
      this.#insertBytes.run(position, bytes.contentType, Buffer.from(bytes.base64, 'base64'));
    }
    for (const tag of new Set(event.tagList)) this.#insertTag.run(tag, position);
    if (this.written.wanted) this.written.add(eventText(this.#storeId, core, epochUs));
    return [core, epochUs];
  }
}
