import type { AppendResult, StorePage, StreamPage } from '../events.ts';
import type { Snapshot } from '../snapshots.ts';
import type {
  AppendEventsParams,
  AppendToStreamsParams,
  AppendToStreamsResult,
  DeleteSnapshotParams,
  DeleteStreamParams,
  GetEventsParams,
  GetStreamsParams,
  ListSnapshotsParams,
  QueryEventsParams,
  ReadAllParams,
  ReadSnapshotParams,
  RecordSnapshotParams,
  SnapshotPage,
  StreamNames,
  StreamParams,
  VerifyStreamResult,
  VersionAtParams,
} from './store-methods.ts';
import type { SubscriptionState } from './subscription-state.ts';

/** The options of a call. */
export interface CallContext {
  /** Stops waiting for the result; does not undo a commit. */
  readonly signal?: AbortSignal;
  /** Milliseconds that the caller still waits. */
  readonly deadlineMs?: number;
  /** W3C trace context. */
  readonly traceparent?: string;
  readonly tracestate?: string;
  /**
   * The caller passes the result on as JSON. A store that has a page of events as text may resolve `getEvents` and
   * `readAll` to a {@link RawJson} with it instead, so that it is neither parsed nor encoded again.
   */
  readonly asJson?: boolean;
}

/**
 * A store of events. Parameters have passed the protocol's schemas already; a store checks only the conditions that
 * depend on its data. Every failure is a `GaterError`.
 *
 * An append is atomic and durable before its promise resolves, checked against the stream's version in the
 * same transaction, and idempotent by its event ids, which are looked at before `expectedVersion`.
 */
export interface EventStore {
  readonly storeId: string;
  /** Created with the database and stored in it. */
  readonly storeUuid: string;
  /**
   * Resolves once the store has reached its database for the first time: before that its `storeUuid` is empty. Rejects when the
   * store is closed earlier. Absent where opening the store waits for it.
   */
  readonly connected?: Promise<void>;
  /** The method names that this store serves. */
  readonly methods: readonly string[];

  /** @throws `wrong_expected_version`, `append_condition_failed`, `stream_deleted`, `invalid_argument` (reason `id_conflict`), `unavailable` */
  appendEvents(params: AppendEventsParams, context?: CallContext): Promise<AppendResult>;
  /**
   * Appends to several streams, all or nothing, with positions that follow each other.
   *
   * @throws what `appendEvents` throws
   */
  appendToStreams(params: AppendToStreamsParams, context?: CallContext): Promise<AppendToStreamsResult>;
  /** @throws `stream_not_found`, `stream_deleted` */
  getEvents(params: GetEventsParams, context?: CallContext): Promise<StreamPage>;
  /** The version of a stream's last event that was recorded at or before a time, or -1. */
  versionAt(params: VersionAtParams, context?: CallContext): Promise<{ readonly version: number }>;
  /** -1 for a stream that never was; the last version of a deleted one. */
  getVersion(params: StreamParams, context?: CallContext): Promise<{ readonly version: number }>;
  streamExists(params: StreamParams, context?: CallContext): Promise<{ readonly exists: boolean }>;
  getStreams(params: GetStreamsParams, context?: CallContext): Promise<StreamNames>;
  /** @throws `wrong_expected_version`, `stream_not_found`, `stream_deleted` */
  deleteStream(params: DeleteStreamParams, context?: CallContext): Promise<{ readonly version: number }>;
  /**
   * Checks the hash chain of a stream. `brokenAt` is the version of the first event that does not fit.
   *
   * @throws `not_supported` by a store that keeps no chain, `stream_not_found`
   */
  verifyStream(params: StreamParams, context?: CallContext): Promise<VerifyStreamResult>;
  readAll(params: ReadAllParams, context?: CallContext): Promise<StorePage>;
  /** The events that match a query, in the order of positions. */
  queryEvents(params: QueryEventsParams, context?: CallContext): Promise<StorePage>;
  recordSnapshot(params: RecordSnapshotParams, context?: CallContext): Promise<Record<string, never>>;
  /** @throws `snapshot_not_found` */
  readSnapshot(params: ReadSnapshotParams, context?: CallContext): Promise<Snapshot>;
  /** A page of snapshots, newest first. */
  listSnapshots(params: ListSnapshotsParams, context?: CallContext): Promise<SnapshotPage>;
  /** Deletes the snapshot of a version, or without `version` all of them. `deleted` says whether there was any. */
  deleteSnapshot(params: DeleteSnapshotParams, context?: CallContext): Promise<{ readonly deleted: boolean }>;
  /** Resolves when the store can serve. @throws `unavailable` */
  quickHealthCheck(context?: CallContext): Promise<Record<string, never>>;

  /** Calls `listener` with the newest position after each commit. Returns a function that removes the listener. */
  onCommitted(listener: (position: number) => void): () => void;
  /** The feed's checkpoint, stored with the events: every event up to it was published. */
  readonly feedCheckpoint: FeedCheckpoint;
  /** The persistent subscriptions, kept with the events. A store without it cannot have any. */
  readonly subscriptionState?: SubscriptionState;
  /** Ends the calls in flight, flushes and releases the file. */
  close(): Promise<void>;
}

/** A place in a store's history: a position, proved by the event that has it. */
export interface StorePoint {
  readonly position: number;
  /**
   * The first 8 characters of base64url(SHA-256(event id)). Absent at position 0, and in points saved by earlier
   * releases.
   */
  readonly proof?: string;
}

/** The position from which a feed continues after a restart. */
export interface FeedPosition extends StorePoint {
  /** How often the feed went back because the store no longer had the event at its position. @default 0 */
  readonly turn?: number;
  /** Earlier points of the same history, newest first: the feed goes back to the first one that the store still has. */
  readonly earlier?: readonly StorePoint[];
}

/** Keeps the position of the feed to the channel `events`. */
export interface FeedCheckpoint {
  /** Returns position 0 when none was saved. */
  load(): Promise<FeedPosition>;
  /** Saves a position, unless the saved one has a later turn, or the same turn and a higher position. */
  save(position: FeedPosition): Promise<void>;
}
