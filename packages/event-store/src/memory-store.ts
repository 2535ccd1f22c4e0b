import {
  checkCondition,
  checkQuery,
  FEED_START,
  invalidOption,
  isFurther,
  utf8Bytes,
} from '@esdb-gater/primitives';
import {
  type AppendCondition,
  type AppendEventsParams,
  type AppendResult,
  type AppendToStreamsParams,
  type AppendToStreamsResult,
  type CallContext,
  type Clock,
  type DeleteSnapshotParams,
  type DeleteStreamParams,
  type EventQuery,
  type EventStore,
  type FeedCheckpoint,
  type GetEventsParams,
  type GetStreamsParams,
  isStoreId,
  type ListSnapshotsParams,
  type Logger,
  type QueryEventsParams,
  type ReadAllParams,
  type ReadSnapshotParams,
  type RecordedEvent,
  type RecordSnapshotParams,
  type Snapshot,
  type SnapshotPage,
  type StorePage,
  type StreamNames,
  type StreamPage,
  type StreamParams,
  type SubscriptionState,
  silentLogger,
  systemClock,
  type VerifyStreamResult,
  type VersionAtParams,
} from '@esdb-gater/types';
import { throwIfEnded } from './call-context.ts';
import { checkSnapshotIds, checkSnapshotVersion, checkStoreId, checkStreamId } from './check-params.ts';
import { type CommitListeners, createCommitListeners } from './commit-listeners.ts';
import { encodeAppends } from './encode-appends.ts';
import { type EncodedEvent, encodeEvents } from './encode-event.ts';
import { encodeSnapshot, snapshotPageText, snapshotText } from './encode-snapshot.ts';
import {
  appendConditionFailed,
  notSupported,
  snapshotNotFound,
  storeClosed,
  streamNotFound,
} from './errors.ts';
import { eventCore, eventText } from './event-text.ts';
import { nextEpochUs } from './event-time.ts';
import { checkDeleteVersion, resolveExpectedVersion } from './expected-version.ts';
import { CHAIN_START, chainHash, checkHashable } from './hash-chain.ts';
import { QueryMatches } from './matching/query-matches.ts';
import { MemoryIndex } from './memory-index.ts';
import { MemorySnapshots } from './memory-snapshots.ts';
import { MemoryStreams } from './memory-streams.ts';
import { createMemorySubscriptionState } from './memory-subscription-state.ts';
import {
  nextVersion,
  PageMeter,
  readableRange,
  resolveAfter,
  resolveCount,
  resolveSnapshotList,
  resolveStreamRead,
} from './pages.ts';
import { checkedResult, idKey, type KnownEvent, planAppend, planAppends } from './plan-append.ts';
import { storeMethods } from './store-worker.ts';
import { isMissing, isReadable } from './stream-state.ts';
import { resolveTime, versionUpTo } from './version-at.ts';

export interface MemoryStoreOptions {
  readonly storeId: string;
  /** Keeps a chain of hashes per stream, which `verifyStream` checks. @default false */
  readonly tamperEvident?: boolean;
  /** @default the system clock */
  readonly clock?: Clock;
  /** @default logs nothing */
  readonly logger?: Logger;
}

interface MemoryEvent extends KnownEvent {
  readonly epochUs: number;
  /** The `RecordedEvent` as JSON. It is parsed for each reader, so that no reader can modify the store. */
  readonly text: string;
  readonly textBytes: number;
  readonly core: string;
  /** Empty when the store keeps no chain. */
  readonly hash: string;
}

/**
 * Creates the reference store, which keeps everything in memory and loses it with the process. It shows every rule of
 * a store without a database.
 *
 * @throws `invalid_argument` (reason `store_id`)
 */
export function createMemoryStore(options: MemoryStoreOptions): EventStore {
  if (!isStoreId(options.storeId)) {
    throw invalidOption('storeId', options.storeId, '1 to 64 of A-Z a-z 0-9 _ -', { reason: 'store_id' });
  }
  return new MemoryStore(options);
}

class MemoryStore implements EventStore {
  readonly storeId: string;
  readonly storeUuid: string = crypto.randomUUID();
  readonly methods: readonly string[];
  readonly feedCheckpoint: FeedCheckpoint = createMemoryCheckpoint();
  readonly subscriptionState: SubscriptionState = createMemorySubscriptionState();

  readonly #clock: Clock;
  readonly #listeners: CommitListeners;
  readonly #streams = new MemoryStreams();
  readonly #snapshots = new MemorySnapshots();
  /** The event at position p is element p - 1. */
  readonly #events: MemoryEvent[] = [];
  readonly #index = new MemoryIndex();
  /** By `eventKey`. */
  readonly #byId = new Map<string, MemoryEvent>();
  readonly #tamperEvident: boolean;
  #lastEpochUs = 0;
  #closed = false;

  constructor(options: MemoryStoreOptions) {
    this.storeId = options.storeId;
    this.#tamperEvident = options.tamperEvident === true;
    this.methods = storeMethods(this.#tamperEvident);
    this.#clock = options.clock ?? systemClock;
    this.#listeners = createCommitListeners(options.logger ?? silentLogger);
  }

  async appendEvents(params: AppendEventsParams, context?: CallContext): Promise<AppendResult> {
    this.#check(params, context);
    checkStreamId(params.streamId);
    const { streamId, condition } = params;
    if (condition !== undefined) checkCondition(condition);
    const expectedVersion = resolveExpectedVersion(params.expectedVersion);
    const events = encodeEvents(params.events, this.#clock.now());
    if (this.#tamperEvident) checkHashable(events);
    const state = this.#streams.state(streamId);
    const plan = planAppend({ streamId, expectedVersion, events }, state, (key) =>
      this.#byId.get(eventKey(streamId, key)),
    );
    if (plan.kind === 'duplicate') return plan.result;
    if (condition !== undefined) this.#checkNoMatch(condition);
    this.#lastEpochUs = nextEpochUs(this.#clock.now(), this.#lastEpochUs);
    const result = this.#writeAll(streamId, plan.firstVersion, events);
    this.#listeners.notify(result.position);
    return result;
  }

  async appendToStreams(
    params: AppendToStreamsParams,
    context?: CallContext,
  ): Promise<AppendToStreamsResult> {
    this.#check(params, context);
    const { condition } = params;
    if (condition !== undefined) checkCondition(condition);
    const requests = encodeAppends(params.appends, this.#clock.now());
    if (this.#tamperEvident) for (const { events } of requests) checkHashable(events);
    const streamOf = (index: number): string => requests[index]?.streamId ?? '';
    const plan = planAppends(
      requests,
      (index) => this.#streams.state(streamOf(index)),
      (index) => (key) => this.#byId.get(eventKey(streamOf(index), key)),
    );
    if (plan.kind === 'duplicate') return { results: plan.results };
    if (condition !== undefined) this.#checkNoMatch(condition);
    const before = this.#events.length;
    this.#lastEpochUs = nextEpochUs(this.#clock.now(), this.#lastEpochUs);
    const results = requests.map((request, index) => {
      const { streamId, events } = request;
      if (events.length === 0) return checkedResult(request, this.#streams.state(streamId));
      return this.#writeAll(streamId, plan.firstVersions[index] as number, events);
    });
    if (this.#events.length > before) this.#listeners.notify(this.#events.length);
    return { results };
  }

  #writeAll(streamId: string, firstVersion: number, events: readonly EncodedEvent[]): AppendResult {
    for (const [index, event] of events.entries()) this.#write(streamId, firstVersion + index, event);
    const version = firstVersion + events.length - 1;
    return { version, position: this.#events.length, count: events.length, duplicate: false };
  }

  #write(streamId: string, version: number, event: EncodedEvent): void {
    const position = this.#events.length + 1;
    const { tagList: _, ...members } = event;
    const epochUs = this.#lastEpochUs;
    const stored = { ...members, streamId, version, position, epochUs };
    const core = eventCore(stored);
    const text = eventText(this.storeId, core, epochUs);
    const hash = this.#tamperEvident ? chainHash(this.#hashBefore(streamId, version), core, epochUs) : '';
    const kept: MemoryEvent = { ...stored, core, text, textBytes: utf8Bytes(text), hash };
    this.#events.push(kept);
    this.#byId.set(eventKey(streamId, idKey(event.id)), kept);
    this.#streams.add(streamId, position);
    this.#index.add(event, position);
  }

  async getEvents(params: GetEventsParams, context?: CallContext): Promise<StreamPage> {
    this.#check(params, context);
    const read = resolveStreamRead(params);
    const stream = this.#streams.state(read.streamId);
    const range = readableRange(read, stream);
    const meter = new PageMeter();
    const events: RecordedEvent[] = [];
    const step = read.backward ? -1 : 1;
    let version = read.backward ? range.highest : range.lowest;
    while (events.length < read.count && version >= range.lowest && version <= range.highest) {
      const event = this.#at(this.#streams.position(read.streamId, version));
      if (!meter.take(event.textBytes)) break;
      events.push(JSON.parse(event.text) as RecordedEvent);
      version += step;
    }
    const next = events.length === 0 ? undefined : nextVersion(read, range, version - step);
    return { events, version: stream.version, ...(next === undefined ? {} : { next }) };
  }

  async getVersion(params: StreamParams, context?: CallContext): Promise<{ version: number }> {
    this.#check(params, context);
    return { version: this.#streams.state(params.streamId).version };
  }

  async versionAt(params: VersionAtParams, context?: CallContext): Promise<{ version: number }> {
    this.#check(params, context);
    const { streamId, time } = params;
    const epochUs = resolveTime(time);
    const { version } = this.#streams.state(streamId);
    const timeOf = (at: number): number => this.#at(this.#streams.position(streamId, at)).epochUs;
    return { version: versionUpTo(version, epochUs, timeOf) };
  }

  async verifyStream(params: StreamParams, context?: CallContext): Promise<VerifyStreamResult> {
    this.#check(params, context);
    const { streamId } = params;
    if (!this.#tamperEvident) throw notSupported('verifyStream, which needs `tamperEvident`', this.storeId);
    const stream = this.#streams.state(streamId);
    if (isMissing(stream)) throw streamNotFound(streamId);
    for (let version = 0; version <= stream.version; version += 1) {
      const { core, epochUs, hash } = this.#at(this.#streams.position(streamId, version));
      if (chainHash(this.#hashBefore(streamId, version), core, epochUs) !== hash) {
        return { verified: false, brokenAt: version };
      }
    }
    return { verified: true };
  }

  #hashBefore(streamId: string, version: number): string {
    return version === 0 ? CHAIN_START : this.#at(this.#streams.position(streamId, version - 1)).hash;
  }

  async streamExists(params: StreamParams, context?: CallContext): Promise<{ exists: boolean }> {
    this.#check(params, context);
    return { exists: isReadable(this.#streams.state(params.streamId)) };
  }

  async getStreams(params: GetStreamsParams, context?: CallContext): Promise<StreamNames> {
    this.#check(params, context);
    const limit = resolveCount('limit', params.limit);
    const streams: string[] = [];
    for (const name of this.#streams.names(params.prefix ?? '', params.after)) {
      if (!isReadable(this.#streams.state(name))) continue;
      if (streams.length === limit) return { streams, next: streams.at(-1) as string };
      streams.push(name);
    }
    return { streams };
  }

  async deleteStream(params: DeleteStreamParams, context?: CallContext): Promise<{ version: number }> {
    this.#check(params, context);
    const { streamId } = params;
    const stream = this.#streams.state(streamId);
    checkDeleteVersion(streamId, resolveExpectedVersion(params.expectedVersion), stream);
    this.#streams.hide(streamId);
    return { version: stream.version };
  }

  async readAll(params: ReadAllParams, context?: CallContext): Promise<StorePage> {
    this.#check(params, context);
    const { query } = params;
    if (query !== undefined) checkQuery(query);
    const limit = resolveCount('limit', params.limit);
    const newest = this.#events.length;
    const meter = new PageMeter();
    const events: RecordedEvent[] = [];
    for (const position of this.#positions(query, resolveAfter(params.after))) {
      const event = this.#at(position);
      if (events.length === limit || !meter.take(event.textBytes)) {
        const last = events.at(-1)?.position ?? 0;
        return { events, lastPosition: last, next: last };
      }
      events.push(JSON.parse(event.text) as RecordedEvent);
    }
    return { events, lastPosition: newest };
  }

  async queryEvents(params: QueryEventsParams, context?: CallContext): Promise<StorePage> {
    checkQuery(params.query);
    return this.readAll(params, context);
  }

  /** Yields the positions after `after` that match the query, or all of them. */
  *#positions(query: EventQuery | undefined, after: number): Generator<number> {
    if (query === undefined) {
      for (let position = after + 1; position <= this.#events.length; position += 1) yield position;
      return;
    }
    const matches = new QueryMatches(query, this.#index);
    let from = after + 1;
    while (from <= this.#events.length) {
      const { position, found } = matches.next(from);
      if (found) yield position;
      from = found ? position + 1 : position;
    }
  }

  #checkNoMatch({ failIfEventsMatch, after = 0 }: AppendCondition): void {
    for (const position of this.#positions(failIfEventsMatch, after)) throw appendConditionFailed(position);
  }

  async recordSnapshot(params: RecordSnapshotParams, context?: CallContext): Promise<Record<string, never>> {
    this.#check(params, context);
    this.#snapshots.put(encodeSnapshot(params, nextEpochUs(this.#clock.now(), 0)));
    return {};
  }

  async readSnapshot(params: ReadSnapshotParams, context?: CallContext): Promise<Snapshot> {
    this.#check(params, context);
    checkSnapshotIds(params);
    if (params.version !== undefined) checkSnapshotVersion(params.version);
    const found = this.#snapshots.get(params, params.version);
    if (found === undefined) throw snapshotNotFound(params.sourceUuid, params.streamUuid, params.version);
    return JSON.parse(snapshotText(found)) as Snapshot;
  }

  async listSnapshots(params: ListSnapshotsParams, context?: CallContext): Promise<SnapshotPage> {
    this.#check(params, context);
    checkSnapshotIds(params);
    const { highest, count } = resolveSnapshotList(params);
    const newestFirst = this.#snapshots.list(params).filter(({ version }) => version <= highest);
    return JSON.parse(snapshotPageText(newestFirst, count)) as SnapshotPage;
  }

  async deleteSnapshot(params: DeleteSnapshotParams, context?: CallContext): Promise<{ deleted: boolean }> {
    this.#check(params, context);
    checkSnapshotIds(params);
    if (params.version !== undefined) checkSnapshotVersion(params.version);
    return { deleted: this.#snapshots.delete(params, params.version) };
  }

  async quickHealthCheck(context?: CallContext): Promise<Record<string, never>> {
    this.#check({ storeId: this.storeId }, context);
    return {};
  }

  onCommitted(listener: (position: number) => void): () => void {
    return this.#listeners.add(listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#listeners.clear();
  }

  #at(position: number): MemoryEvent {
    const event = this.#events[position - 1];
    if (event === undefined) throw new RangeError(`position ${position} does not exist`);
    return event;
  }

  #check(params: { readonly storeId: string }, context: CallContext | undefined): void {
    if (this.#closed) throw storeClosed(this.storeId);
    throwIfEnded(context);
    checkStoreId(params.storeId, this.storeId);
  }
}

/** Returns the key of an event in the store: ids are unique per stream, and all have the same length. */
function eventKey(streamId: string, key: string): string {
  return key + streamId;
}

/** Creates a checkpoint that is lost with the process, like the store itself. */
function createMemoryCheckpoint(): FeedCheckpoint {
  let saved = FEED_START;
  return {
    load: async () => saved,
    save: async (position) => {
      if (isFurther(position, saved)) saved = position;
    },
  };
}
