import {
  type CommitListeners,
  checkHashable,
  checkSnapshotIds,
  checkSnapshotVersion,
  checkStoreId,
  checkStreamId,
  createCommitListeners,
  encodeAppends,
  encodeEvents,
  encodeSnapshot,
  isReadable,
  nextEpochUs,
  notSupported,
  resolveAfter,
  resolveCount,
  resolveExpectedVersion,
  resolveSnapshotList,
  resolveStreamRead,
  resolveTime,
  type StoreHealth,
  snapshotNotFound,
  snapshotText,
  storeClosed,
  storeMethods,
  throwIfEnded,
} from '@esdb-gater/event-store';
import { checkCondition, checkQuery, finishesWithin } from '@esdb-gater/primitives';
import type {
  AppendCondition,
  AppendEventsParams,
  AppendResult,
  AppendToStreamsParams,
  AppendToStreamsResult,
  CallContext,
  DeleteSnapshotParams,
  DeleteStreamParams,
  EventStore,
  FeedCheckpoint,
  GetEventsParams,
  GetStreamsParams,
  ListSnapshotsParams,
  QueryEventsParams,
  ReadAllParams,
  ReadSnapshotParams,
  RecordSnapshotParams,
  Snapshot,
  SnapshotPage,
  StorePage,
  StreamAppendResult,
  StreamNames,
  StreamPage,
  StreamParams,
  SubscriptionState,
  VerifyStreamResult,
  VersionAtParams,
} from '@esdb-gater/types';
import { GaterError } from '@esdb-gater/types';
import { CommitSignal } from './commit-signal.ts';
import { PrimaryLink } from './connection/primary-link.ts';
import type { Session } from './connection/session.ts';
import { createFeedCheckpoint } from './feed-checkpoint.ts';
import { type PostgresStoreOptions, type ResolvedOptions, resolveOptions } from './options.ts';
import { ChainVerifier } from './reading/chain-verifier.ts';
import { EventReader } from './reading/event-reader.ts';
import { createQueryRunner } from './reading/query-runner.ts';
import { alignChains, migrate, quoteName, readIdentity } from './schema/migrate.ts';
import { Snapshots } from './snapshots.ts';
import { createStatementWriter } from './statement-writer.ts';
import { createSubscriptionState } from './subscription-state.ts';
import { BatchWriter } from './writing/batch-writer.ts';
import { checkRequest, settleAnswer, UNCHECKED } from './writing/settle-answer.ts';
import { WriteQueue } from './writing/write-queue.ts';
import type { PendingCondition, WriteRequest } from './writing/write-request.ts';

/** How often a condition is checked outside of the transaction before the others have to wait for it. */
const UNFORCED_CHECKS = 3;

/** How long closing waits for what is being written. */
const CLOSES_WITHIN_MS = 5_000;

/** A store in PostgreSQL. */
export interface PostgresStore extends EventStore {
  readonly subscriptionState: SubscriptionState;
  /**
   * Resolves when the store has reached the primary for the first time: from then on it has its `storeUuid`, which is empty
   * before. Rejects when the store is closed earlier.
   */
  readonly connected: Promise<void>;
  /** Returns `degraded` when writes fail but reads go on, `unhealthy` when there is no primary. */
  health(): StoreHealth;
}

/**
 * Opens the store in a schema of a PostgreSQL database, and makes its tables when needed. Any number of processes may open
 * it at the same time.
 *
 * Appends are committed before they are acknowledged, with `synchronous_standby_names` also on a standby, many by one
 * round trip. The store follows a promotion to another host of the URL by itself.
 *
 * @throws `invalid_argument` for wrong options; with `requirePrimary`, `unavailable` when there is no primary, or its tables
 * cannot be used
 */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<PostgresStore> {
  const store = new PostgresDatabaseStore(resolveOptions(options));
  try {
    await store.open();
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

class PostgresDatabaseStore implements PostgresStore {
  readonly storeId: string;
  readonly methods: readonly string[];
  readonly feedCheckpoint: FeedCheckpoint;
  readonly subscriptionState: SubscriptionState;

  readonly #options: ResolvedOptions;
  readonly #link: PrimaryLink;
  readonly #listeners: CommitListeners;
  readonly #signal: CommitSignal;
  readonly #reader: EventReader;
  readonly #chains: ChainVerifier;
  readonly #snapshots: Snapshots;
  readonly #batches: BatchWriter;
  readonly #queue: WriteQueue;
  #storeUuid = '';
  #closed: Promise<void> | undefined;

  constructor(options: ResolvedOptions) {
    const { storeId, clock, logger, tamperEvident, settings } = options;
    const { maxReaders, lockTimeoutMs, waitForPrimaryMs, commitTimeoutMs } = options;
    const { maxWaitingCalls, maxWaitingBytes } = options;
    const schema = quoteName(options.schema);
    this.storeId = storeId;
    this.methods = storeMethods(tamperEvident);
    this.#options = options;
    this.#listeners = createCommitListeners(logger);
    const prepare = (session: Session): Promise<void> => this.#prepare(session);
    this.#link = new PrimaryLink({
      settings,
      maxReaders,
      lockTimeoutMs,
      waitForPrimaryMs,
      clock,
      logger,
      prepare,
    });
    const read = createQueryRunner(this.#link, clock);
    const write = createStatementWriter(this.#link);
    this.#reader = new EventReader(storeId, schema, read);
    this.#chains = new ChainVerifier(schema, read);
    this.#snapshots = new Snapshots(schema, read, write);
    this.#signal = new CommitSignal({
      clock,
      logger,
      newest: () => this.#reader.newestPosition(),
      notify: (position) => this.#listeners.notify(position),
    });
    this.#batches = new BatchWriter({
      link: this.#link,
      schema,
      tamperEvident,
      commitTimeoutMs,
      clock,
      logger,
      onCommitted: (position) => this.#signal.tell(position),
    });
    const writeBatch = (requests: readonly WriteRequest[]) => this.#batches.write(requests);
    this.#queue = new WriteQueue({ maxWaitingCalls, maxWaitingBytes, clock, write: writeBatch });
    this.feedCheckpoint = createFeedCheckpoint(schema, read, write);
    this.subscriptionState = createSubscriptionState(schema, read, write);
  }

  get storeUuid(): string {
    return this.#storeUuid;
  }

  get connected(): Promise<void> {
    return this.#link.connected;
  }

  async open(): Promise<void> {
    const { requirePrimary, openTimeoutMs } = this.#options;
    if (requirePrimary) await this.#link.open(openTimeoutMs);
    else this.#link.openLater();
  }

  /** Makes or checks the tables behind a new session. */
  async #prepare(session: Session): Promise<void> {
    const { schema, tamperEvident } = this.#options;
    const { writer } = session;
    await migrate(writer, schema);
    const identity = await readIdentity(writer, schema);
    if (this.#storeUuid !== '' && identity.storeUuid !== this.#storeUuid) {
      throw new GaterError(
        'unavailable',
        `the schema ${quoteName(schema)} holds another store now; open it anew`,
      );
    }
    await alignChains(writer, schema, identity, tamperEvident);
    this.#storeUuid = identity.storeUuid;
    await this.#signal.listen(session, identity.channel);
  }

  async appendEvents(params: AppendEventsParams, context?: CallContext): Promise<AppendResult> {
    this.#check(params, context);
    checkStreamId(params.streamId);
    const { streamId, condition } = params;
    if (condition !== undefined) checkCondition(condition);
    const expectedVersion = resolveExpectedVersion(params.expectedVersion);
    const events = encodeEvents(params.events, this.#options.clock.now());
    const [result] = await this.#append([{ streamId, expectedVersion, events }], condition, context);
    return result as AppendResult;
  }

  async appendToStreams(
    params: AppendToStreamsParams,
    context?: CallContext,
  ): Promise<AppendToStreamsResult> {
    this.#check(params, context);
    const { condition } = params;
    if (condition !== undefined) checkCondition(condition);
    const parts = encodeAppends(params.appends, this.#options.clock.now());
    return { results: await this.#append(parts, condition, context) };
  }

  async #append(
    parts: WriteRequest['parts'],
    condition: AppendCondition | undefined,
    context: CallContext | undefined,
  ): Promise<readonly StreamAppendResult[]> {
    if (this.#options.tamperEvident) for (const { events } of parts) checkHashable(events);
    checkRequest({ kind: 'append', parts });
    let pending: PendingCondition | undefined = condition && {
      query: condition.failIfEventsMatch,
      after: condition.after ?? 0,
      forced: false,
    };
    for (let checks = 0; ; checks += 1) {
      const request: WriteRequest = { kind: 'append', parts, condition: pending };
      const answer = await this.#queue.add(request, context);
      const results = settleAnswer(request, answer, this.#options.clock.now());
      if (results !== UNCHECKED) return results;
      // It takes too long while all others wait, so most of it is done here. A match is found again by the transaction, which
      // looks at the ids and the versions first.
      const { query, after } = pending as PendingCondition;
      const progress = await this.#reader.checkCondition(query, after, context);
      const { match } = progress;
      const from = match === undefined ? progress.after : match - 1;
      // A search that begins at a match ends there.
      const forced = match !== undefined || checks >= UNFORCED_CHECKS;
      pending = { query, after: Math.max(after, from), forced };
    }
  }

  async getEvents(params: GetEventsParams, context?: CallContext): Promise<StreamPage> {
    this.#check(params, context);
    return this.#reader.ofStream(resolveStreamRead(params), context);
  }

  async getVersion(params: StreamParams, context?: CallContext): Promise<{ version: number }> {
    this.#check(params, context);
    const { version } = await this.#reader.state(params.streamId, context);
    return { version };
  }

  async versionAt(params: VersionAtParams, context?: CallContext): Promise<{ version: number }> {
    this.#check(params, context);
    return { version: await this.#reader.versionAt(params.streamId, resolveTime(params.time), context) };
  }

  async verifyStream(params: StreamParams, context?: CallContext): Promise<VerifyStreamResult> {
    this.#check(params, context);
    if (!this.#options.tamperEvident) {
      throw notSupported('verifyStream, which needs `tamperEvident`', this.storeId);
    }
    await this.#reader.existing(params.streamId, context);
    return this.#chains.verify(params.streamId, context);
  }

  async streamExists(params: StreamParams, context?: CallContext): Promise<{ exists: boolean }> {
    this.#check(params, context);
    return { exists: isReadable(await this.#reader.state(params.streamId, context)) };
  }

  async getStreams(params: GetStreamsParams, context?: CallContext): Promise<StreamNames> {
    this.#check(params, context);
    const limit = resolveCount('limit', params.limit);
    return this.#reader.streams(params.prefix ?? '', params.after ?? '', limit, context);
  }

  async deleteStream(params: DeleteStreamParams, context?: CallContext): Promise<{ version: number }> {
    this.#check(params, context);
    const expectedVersion = resolveExpectedVersion(params.expectedVersion);
    const parts = [{ streamId: params.streamId, expectedVersion, events: [] }];
    const request: WriteRequest = { kind: 'delete', parts };
    const answer = await this.#queue.add(request, context);
    const results = settleAnswer(request, answer, this.#options.clock.now());
    return { version: (results as readonly StreamAppendResult[])[0]?.version ?? -1 };
  }

  async readAll(params: ReadAllParams, context?: CallContext): Promise<StorePage> {
    this.#check(params, context);
    const { query } = params;
    const after = resolveAfter(params.after);
    const limit = resolveCount('limit', params.limit);
    if (query === undefined) return this.#reader.ofStore(after, limit, context);
    checkQuery(query);
    return this.#reader.ofQuery(query, after, limit, context);
  }

  async queryEvents(params: QueryEventsParams, context?: CallContext): Promise<StorePage> {
    checkQuery(params.query);
    return this.readAll(params, context);
  }

  async recordSnapshot(params: RecordSnapshotParams, context?: CallContext): Promise<Record<string, never>> {
    this.#check(params, context);
    await this.#snapshots.put(encodeSnapshot(params, nextEpochUs(this.#options.clock.now(), 0)));
    return {};
  }

  async readSnapshot(params: ReadSnapshotParams, context?: CallContext): Promise<Snapshot> {
    this.#check(params, context);
    checkSnapshotIds(params);
    const { sourceUuid, streamUuid, version } = params;
    if (version !== undefined) checkSnapshotVersion(version);
    const found = await this.#snapshots.find(params, version, context);
    if (found === undefined) throw snapshotNotFound(sourceUuid, streamUuid, version);
    return JSON.parse(snapshotText(found)) as Snapshot;
  }

  async listSnapshots(params: ListSnapshotsParams, context?: CallContext): Promise<SnapshotPage> {
    this.#check(params, context);
    checkSnapshotIds(params);
    return this.#snapshots.list(params, resolveSnapshotList(params), context);
  }

  async deleteSnapshot(params: DeleteSnapshotParams, context?: CallContext): Promise<{ deleted: boolean }> {
    this.#check(params, context);
    checkSnapshotIds(params);
    if (params.version !== undefined) checkSnapshotVersion(params.version);
    return { deleted: await this.#snapshots.delete(params, params.version) };
  }

  async quickHealthCheck(context?: CallContext): Promise<Record<string, never>> {
    this.#check({ storeId: this.storeId }, context);
    await this.#reader.newestPosition(context);
    return {};
  }

  health(): StoreHealth {
    if (this.#closed !== undefined) return { status: 'unhealthy', message: 'the store is closed' };
    const { problem } = this.#link;
    if (problem !== undefined) return { status: 'unhealthy', message: problem };
    const { trouble } = this.#batches;
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
    await finishesWithin(this.#queue.drained(), CLOSES_WITHIN_MS, this.#options.clock);
    this.#signal.close();
    this.#listeners.clear();
    this.#link.close();
  }

  #check(params: { readonly storeId: string }, context: CallContext | undefined): void {
    if (this.#closed !== undefined) throw storeClosed(this.storeId);
    throwIfEnded(context);
    checkStoreId(params.storeId, this.storeId);
  }
}
