import {
  checkHashable,
  checkSnapshotIds,
  checkSnapshotVersion,
  checkStoreId,
  checkStreamId,
  createCommitListeners,
  encodeAppends,
  encodeEvents,
  encodeSnapshot,
  notSupported,
  resolveAfter,
  resolveCount,
  resolveExpectedVersion,
  resolveSnapshotList,
  resolveStreamRead,
  resolveTime,
  type StoreHealth,
  storeClosed,
  storeMethods,
  throwIfEnded,
} from '@esdb-gater/event-store';
import { checkQuery, eventMatcher } from '@esdb-gater/primitives';
import {
  type AppendEventsParams,
  type AppendResult,
  type AppendToStreamsParams,
  type AppendToStreamsResult,
  type CallContext,
  type DeleteSnapshotParams,
  type DeleteStreamParams,
  type EventStore,
  type FeedCheckpoint,
  GaterError,
  type GetEventsParams,
  type GetStreamsParams,
  type ListSnapshotsParams,
  type QueryEventsParams,
  RawJson,
  type ReadAllParams,
  type ReadSnapshotParams,
  type RecordSnapshotParams,
  type Snapshot,
  type SnapshotPage,
  type StorePage,
  type StreamNames,
  type StreamPage,
  type StreamParams,
  type SubscriptionState,
  type VerifyStreamResult,
  type VersionAtParams,
} from '@esdb-gater/types';
import type { ChainState } from './chain-verifier.ts';
import { type KnownCondition, knownCondition, UNCHECKED, type Unchecked } from './conditions.ts';
import { type FileLock, lockFile } from './file-lock.ts';
import { NewestEvents } from './newest-events.ts';
import { OpenedFiles } from './opened-files.ts';
import { type ResolvedOptions, resolveOptions, type SqliteStoreOptions } from './options.ts';
import { packEvents } from './pack-events.ts';
import { readQueryPage } from './query-pages.ts';
import { damaged } from './sqlite-errors.ts';
import { createSqliteSubscriptionState } from './sqlite-subscription-state.ts';
import { ThreadClient } from './thread-client.ts';
import type { PackedAppend, ReaderCalls, WriterCalls } from './thread-messages.ts';

/** The memory that a call needs besides its texts. */
const CALL_BYTES = 256;

/** A store in a SQLite file. */
export interface SqliteStore extends EventStore {
  /** Returns `degraded` when writes fail but reads go on (a full disk), `unhealthy` when a thread is down or the file is damaged. */
  health(): StoreHealth;
  /**
   * Returns the events after a position from memory; undefined unless all of them are kept. Knows only the events that
   * listeners of `onCommitted` were told of, so it may be behind `readAll`.
   */
  newestEvents(after: number, limit: number): StorePage | undefined;
}

/**
 * Opens the store in a SQLite file and creates it when needed. No other process can open the store until `close` or the
 * end of this process; other tools may read the file.
 *
 * Appends and snapshots are flushed to the disk before they are acknowledged, many with one flush. Reads and writes have
 * a thread each, so that neither the caller's event loop nor a read waits for the disk.
 *
 * @throws `invalid_argument` for wrong options; `unavailable` when the file is open elsewhere, belongs to another
 * program or schema, is damaged, or cannot be opened
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<SqliteStore> {
  const complete = resolveOptions(options);
  const lock = lockFile(complete.file);
  const store = new SqliteFileStore(complete, lock);
  try {
    await store.open();
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Returns the memory that texts need. */
function costOf(fields: readonly string[]): number {
  let costBytes = 0;
  for (const field of fields) costBytes += field.length + 32;
  return costBytes;
}

/** Returns a page, or its text to a caller that asked for JSON. */
function pageOf<Page>(text: string, context: CallContext | undefined): Page {
  return (context?.asJson === true ? new RawJson(text) : JSON.parse(text)) as Page;
}

class SqliteFileStore implements SqliteStore {
  readonly storeId: string;
  readonly methods: readonly string[];
  readonly feedCheckpoint: FeedCheckpoint;
  readonly subscriptionState: SubscriptionState;

  readonly #options: ResolvedOptions;
  readonly #lock: FileLock;
  readonly #listeners: ReturnType<typeof createCommitListeners>;
  readonly #writer: ThreadClient<WriterCalls>;
  readonly #reader: ThreadClient<ReaderCalls>;
  readonly #newest = new NewestEvents();
  #files: OpenedFiles | undefined;
  #damage: string | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: ResolvedOptions, lock: FileLock) {
    const { storeId, file, flush, checkBytes, busyTimeoutMs, tamperEvident } = options;
    const setup = { storeId, file, flush, checkBytes, busyTimeoutMs, tamperEvident };
    this.methods = storeMethods(tamperEvident);
    this.storeId = storeId;
    this.#options = options;
    this.#lock = lock;
    this.#listeners = createCommitListeners(options.logger);
    this.#writer = new ThreadClient({ ...setup, role: 'writer' }, options, {
      // Only somebody who follows the commits reads what was just written.
      wantsEvents: () => this.#listeners.any,
      onCommitted: (position, events) => {
        this.#newest.add(position, events);
        this.#listeners.notify(position);
      },
      onDamage: (damage) => this.#noteDamage(damage),
    });
    this.#reader = new ThreadClient({ ...setup, role: 'reader' }, options, {
      onDamage: (damage) => this.#noteDamage(damage),
    });
    this.feedCheckpoint = {
      load: () => this.#reader.call('loadCheckpoint', [], CALL_BYTES),
      save: async (position) => {
        await this.#writer.call('saveCheckpoint', [position], CALL_BYTES);
      },
    };
    this.subscriptionState = createSqliteSubscriptionState({
      reader: this.#reader,
      writer: this.#writer,
      check: (isWrite) =>
        isWrite ? this.#checkWrite({ storeId }, undefined) : this.#check({ storeId }, undefined),
    });
  }

  get storeUuid(): string {
    return this.#writer.storeUuid;
  }

  async open(): Promise<void> {
    // The writer creates the tables that the reader needs.
    const writer = this.#writer.start();
    await Promise.all([writer, this.#reader.start(writer)]);
    this.#files = new OpenedFiles(this.#options.file);
  }

  async appendEvents(params: AppendEventsParams, context?: CallContext): Promise<AppendResult> {
    this.#checkWrite(params, context);
    checkStreamId(params.streamId);
    const condition = knownCondition(params.condition);
    const expectedVersion = resolveExpectedVersion(params.expectedVersion);
    const events = encodeEvents(params.events, this.#options.clock.now());
    if (this.#options.tamperEvident) checkHashable(events);
    const fields = packEvents(events);
    const costBytes = CALL_BYTES + costOf(fields);
    const args = [params.streamId, expectedVersion, fields] as const;
    const answer = await this.#checked(condition, context, (known) =>
      known === undefined
        ? this.#writer.call('append', args, costBytes, context)
        : this.#writer.call('append', [...args, known], costBytes, context),
    );
    const [version, position, count, duplicate] = answer;
    return { version, position, count, duplicate };
  }

  async appendToStreams(
    params: AppendToStreamsParams,
    context?: CallContext,
  ): Promise<AppendToStreamsResult> {
    this.#checkWrite(params, context);
    const condition = knownCondition(params.condition);
    let costBytes = CALL_BYTES;
    const appends = encodeAppends(params.appends, this.#options.clock.now()).map((request): PackedAppend => {
      if (this.#options.tamperEvident) checkHashable(request.events);
      const fields = packEvents(request.events);
      costBytes += CALL_BYTES + costOf(fields);
      return [request.streamId, request.expectedVersion, fields];
    });
    const answers = await this.#checked(condition, context, (known) =>
      known === undefined
        ? this.#writer.call('appendToStreams', [appends], costBytes, context)
        : this.#writer.call('appendToStreams', [appends, known], costBytes, context),
    );
    return {
      results: answers.map(([version, position, count, duplicate]) =>
        count === 0 ? { version, count, duplicate } : { version, position, count, duplicate },
      ),
    };
  }

  /** Appends under a condition. What takes too long for a transaction is checked by the reader first. */
  async #checked<Answer>(
    condition: KnownCondition | undefined,
    context: CallContext | undefined,
    append: (condition: KnownCondition | undefined) => Promise<Answer | Unchecked>,
  ): Promise<Answer> {
    for (let known = condition; ; ) {
      const answer = await append(known);
      if (answer !== UNCHECKED) return answer;
      known = await this.#reader.call('checkCondition', [known as KnownCondition], CALL_BYTES, context);
    }
  }

  async getEvents(params: GetEventsParams, context?: CallContext): Promise<StreamPage> {
    this.#check(params, context);
    const read = resolveStreamRead(params);
    return pageOf(await this.#reader.call('getEvents', [read], CALL_BYTES, context), context);
  }

  async getVersion(params: StreamParams, context?: CallContext): Promise<{ version: number }> {
    this.#check(params, context);
    return { version: await this.#reader.call('getVersion', [params.streamId], CALL_BYTES, context) };
  }

  async versionAt(params: VersionAtParams, context?: CallContext): Promise<{ version: number }> {
    this.#check(params, context);
    const args = [params.streamId, resolveTime(params.time)] as const;
    return { version: await this.#reader.call('versionAt', args, CALL_BYTES, context) };
  }

  async verifyStream(params: StreamParams, context?: CallContext): Promise<VerifyStreamResult> {
    this.#check(params, context);
    if (!this.#options.tamperEvident)
      throw notSupported('verifyStream, which needs `tamperEvident`', this.storeId);
    for (let state: ChainState | undefined; ; ) {
      const args = [params.streamId, state] as const;
      const { next, brokenAt } = await this.#reader.call('verifyStream', args, CALL_BYTES, context);
      if (brokenAt !== undefined) return { verified: false, brokenAt };
      if (next === undefined) return { verified: true };
      state = next;
    }
  }

  async streamExists(params: StreamParams, context?: CallContext): Promise<{ exists: boolean }> {
    this.#check(params, context);
    return { exists: await this.#reader.call('streamExists', [params.streamId], CALL_BYTES, context) };
  }

  async getStreams(params: GetStreamsParams, context?: CallContext): Promise<StreamNames> {
    this.#check(params, context);
    const limit = resolveCount('limit', params.limit);
    const args = [params.prefix ?? '', params.after ?? '', limit] as const;
    return this.#reader.call('getStreams', args, CALL_BYTES, context);
  }

  async deleteStream(params: DeleteStreamParams, context?: CallContext): Promise<{ version: number }> {
    this.#checkWrite(params, context);
    const args = [params.streamId, resolveExpectedVersion(params.expectedVersion)] as const;
    return { version: await this.#writer.call('deleteStream', args, CALL_BYTES, context) };
  }

  async readAll(params: ReadAllParams, context?: CallContext): Promise<StorePage> {
    this.#check(params, context);
    const { query } = params;
    if (query !== undefined) return this.queryEvents({ ...params, query }, context);
    const args = [resolveAfter(params.after), resolveCount('limit', params.limit)] as const;
    return pageOf(await this.#reader.call('readAll', args, CALL_BYTES, context), context);
  }

  newestEvents(after: number, limit: number): StorePage | undefined {
    return this.#newest.page(after, limit);
  }

  async queryEvents(params: QueryEventsParams, context?: CallContext): Promise<StorePage> {
    this.#check(params, context);
    checkQuery(params.query);
    const { query, after } = params;
    const read = { query, after: resolveAfter(after), limit: resolveCount('limit', params.limit) };
    const page = await readQueryPage(read, (part) =>
      this.#reader.call('queryEvents', [part], CALL_BYTES, context),
    );
    if (page.events.every(eventMatcher(query))) return page;
    const damage = damaged(this.#options.file, 'an index has an event under a wrong type or tag');
    this.#noteDamage(damage.message);
    throw damage;
  }

  async recordSnapshot(params: RecordSnapshotParams, context?: CallContext): Promise<Record<string, never>> {
    this.#checkWrite(params, context);
    const snapshot = encodeSnapshot(params, 0);
    const costBytes = CALL_BYTES + snapshot.record.length + snapshot.metadata.length;
    await this.#writer.call('recordSnapshot', [snapshot], costBytes, context);
    return {};
  }

  async readSnapshot(params: ReadSnapshotParams, context?: CallContext): Promise<Snapshot> {
    this.#check(params, context);
    checkSnapshotIds(params);
    if (params.version !== undefined) checkSnapshotVersion(params.version);
    const args = [params.sourceUuid, params.streamUuid, params.version] as const;
    return JSON.parse(await this.#reader.call('readSnapshot', args, CALL_BYTES, context)) as Snapshot;
  }

  async listSnapshots(params: ListSnapshotsParams, context?: CallContext): Promise<SnapshotPage> {
    this.#check(params, context);
    checkSnapshotIds(params);
    const args = [params.sourceUuid, params.streamUuid, resolveSnapshotList(params)] as const;
    return JSON.parse(await this.#reader.call('listSnapshots', args, CALL_BYTES, context)) as SnapshotPage;
  }

  async deleteSnapshot(params: DeleteSnapshotParams, context?: CallContext): Promise<{ deleted: boolean }> {
    this.#checkWrite(params, context);
    checkSnapshotIds(params);
    if (params.version !== undefined) checkSnapshotVersion(params.version);
    const args = [params.sourceUuid, params.streamUuid, params.version] as const;
    return { deleted: await this.#writer.call('deleteSnapshot', args, CALL_BYTES, context) };
  }

  async quickHealthCheck(context?: CallContext): Promise<Record<string, never>> {
    this.#check({ storeId: this.storeId }, context);
    // Another program's lock leaves reads alone, so the probe does not wait for it.
    if (this.#writer.locked) return this.#probeReader(context);
    // A store that cannot write can still read: `health` reports it, and the probe of the worker succeeds.
    const writer = this.#writer.call('ping', [], 0, context).catch((error: unknown) => {
      if (!this.#writer.alive || this.#writer.trouble === undefined) throw error;
    });
    await Promise.all([writer, this.#reader.call('ping', [], CALL_BYTES, context)]);
    return {};
  }

  async #probeReader(context?: CallContext): Promise<Record<string, never>> {
    await this.#reader.call('ping', [], CALL_BYTES, context);
    return {};
  }

  health(): StoreHealth {
    if (this.#closed !== undefined) return { status: 'unhealthy', message: 'the store is closed' };
    const problem = this.#files?.problem();
    if (problem !== undefined) this.#noteDamage(damaged(this.#options.file, problem).message);
    if (this.#damage !== undefined) return { status: 'unhealthy', message: this.#damage };
    if (!this.#reader.alive) return { status: 'unhealthy', message: 'the reader thread is restarting' };
    if (!this.#writer.alive) return { status: 'unhealthy', message: 'the writer thread is restarting' };
    const { trouble } = this.#writer;
    return trouble === undefined ? { status: 'healthy' } : { status: 'degraded', message: trouble };
  }

  onCommitted(listener: (position: number) => void): () => void {
    return this.#listeners.add(listener);
  }

  close(): Promise<void> {
    this.#closed ??= this.#shutDown();
    return this.#closed;
  }

  async #shutDown(): Promise<void> {
    // The writer last: the last connection moves the log into the file, which a read-only connection cannot do.
    await this.#reader.close();
    await this.#writer.close();
    this.#listeners.clear();
    this.#newest.clear();
    this.#lock.release();
  }

  /** Notes that the file is damaged. Nothing is written until the store is opened again. */
  #noteDamage(damage: string): void {
    if (this.#damage !== undefined) return;
    const { storeId, file, logger } = this.#options;
    this.#damage = damage;
    logger.error(
      { storeId, file, damage },
      'the file of the store is damaged; appends are refused until it is reopened',
    );
  }

  #checkWrite(params: { readonly storeId: string }, context: CallContext | undefined): void {
    this.#check(params, context);
    if (this.#damage !== undefined) throw new GaterError('internal', this.#damage);
  }

  #check(params: { readonly storeId: string }, context: CallContext | undefined): void {
    if (this.#closed !== undefined) throw storeClosed(this.storeId);
    throwIfEnded(context);
    checkStoreId(params.storeId, this.storeId);
  }
}
