import type {
  AppendResult,
  NewBytesEvent,
  NewEvent,
  StorePage,
  StreamAppendResult,
  StreamPage,
} from '../events.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { AppendCondition, EventQuery } from '../queries.ts';
import type { Snapshot } from '../snapshots.ts';
import type { ExpectedVersion } from '../versions.ts';

export interface StreamParams {
  readonly storeId: string;
  readonly streamId: string;
}

/** Events to append to one stream. */
export interface StreamAppend {
  readonly streamId: string;
  /** @default ANY_VERSION */
  readonly expectedVersion?: ExpectedVersion;
  /** 1 to 1 000. In a call of a store every one has its `id`. */
  readonly events: readonly (NewEvent | NewBytesEvent)[];
}

export interface AppendEventsParams extends StreamAppend {
  readonly storeId: string;
  readonly condition?: AppendCondition;
}

export interface AppendToStreamsParams {
  readonly storeId: string;
  /**
   * Each with a stream of its own. One without events only checks the version of its stream. 1 to 1 000, and as many events in
   * all.
   */
  readonly appends: readonly StreamAppend[];
  readonly condition?: AppendCondition;
}

export interface AppendToStreamsResult {
  /** One for each append, in their order. */
  readonly results: readonly StreamAppendResult[];
}

/** `getEvents` in one direction. */
export interface ReadStreamParams extends StreamParams {
  /** Inclusive. @default 0 forward, -1 (the newest) backward */
  readonly startVersion?: number;
  /** 1 to 1 000. @default 100 */
  readonly count?: number;
}

export interface GetEventsParams extends ReadStreamParams {
  /** @default 'forward' */
  readonly direction?: 'forward' | 'backward';
}

export interface GetStreamsParams {
  readonly storeId: string;
  readonly prefix?: string;
  /** Exclusive, in the order of UTF-8 bytes. */
  readonly after?: string;
  /** 1 to 1 000. @default 100 */
  readonly limit?: number;
}

export interface DeleteStreamParams extends StreamParams {
  readonly expectedVersion?: ExpectedVersion;
}

export interface VersionAtParams extends StreamParams {
  /** RFC 3339. An event of exactly that millisecond counts. */
  readonly time: string;
}

export interface VerifyStreamResult {
  readonly verified: boolean;
  /** The version of the first event that does not fit; absent when all fit. */
  readonly brokenAt?: number;
}

export interface ReadAllParams {
  readonly storeId: string;
  /** An exclusive position. @default 0 */
  readonly after?: number;
  /** 1 to 1 000. @default 100 */
  readonly limit?: number;
  readonly query?: EventQuery;
}

export interface QueryEventsParams extends ReadAllParams {
  readonly query: EventQuery;
}

export interface SnapshotParams {
  readonly storeId: string;
  readonly sourceUuid: string;
  readonly streamUuid: string;
}

export interface RecordSnapshotParams extends SnapshotParams {
  readonly version: number;
  readonly record: JsonValue;
  readonly metadata?: JsonObject;
}

export interface ReadSnapshotParams extends SnapshotParams {
  /** @default the newest */
  readonly version?: number;
}

export interface ListSnapshotsParams extends SnapshotParams {
  /** The version to begin at, downwards and inclusive; -1 means the newest. @default -1 */
  readonly startVersion?: number;
  /** 1 to 1 000. @default 100 */
  readonly count?: number;
}

export interface DeleteSnapshotParams extends SnapshotParams {
  /** @default all of them */
  readonly version?: number;
}

/** A page of snapshots, newest first. */
export interface SnapshotPage {
  readonly snapshots: readonly Snapshot[];
  /** `startVersion` of the next page; absent at the end. */
  readonly next?: number;
}

/** A page of the names of a store's streams. */
export interface StreamNames {
  readonly streams: readonly string[];
  /** `after` of the next page; absent at the end. */
  readonly next?: string;
}

/** What a store can be asked for: by method, what it takes and what it resolves to. */
export interface StoreMethods {
  readonly appendEvents: { readonly params: AppendEventsParams; readonly result: AppendResult };
  readonly appendToStreams: {
    readonly params: AppendToStreamsParams;
    readonly result: AppendToStreamsResult;
  };
  readonly getEvents: { readonly params: GetEventsParams; readonly result: StreamPage };
  readonly getVersion: { readonly params: StreamParams; readonly result: { readonly version: number } };
  readonly streamExists: { readonly params: StreamParams; readonly result: { readonly exists: boolean } };
  readonly getStreams: { readonly params: GetStreamsParams; readonly result: StreamNames };
  readonly deleteStream: {
    readonly params: DeleteStreamParams;
    readonly result: { readonly version: number };
  };
  readonly versionAt: { readonly params: VersionAtParams; readonly result: { readonly version: number } };
  readonly verifyStream: {
    readonly params: StreamParams;
    readonly result: VerifyStreamResult;
  };
  readonly readAll: { readonly params: ReadAllParams; readonly result: StorePage };
  readonly queryEvents: { readonly params: QueryEventsParams; readonly result: StorePage };
  readonly recordSnapshot: {
    readonly params: RecordSnapshotParams;
    readonly result: Readonly<Record<string, never>>;
  };
  readonly readSnapshot: { readonly params: ReadSnapshotParams; readonly result: Snapshot };
  readonly listSnapshots: {
    readonly params: ListSnapshotsParams;
    readonly result: SnapshotPage;
  };
  readonly deleteSnapshot: {
    readonly params: DeleteSnapshotParams;
    readonly result: { readonly deleted: boolean };
  };
  /** The probe: that there is an answer counts, not which. */
  readonly quickHealthCheck: { readonly params: { readonly storeId: string }; readonly result: unknown };
}

/** A method that a worker of a store can be asked for. */
export type StoreMethod = keyof StoreMethods;

/** The parameters of a method of a store. */
export type StoreParamsOf<M extends StoreMethod> = StoreMethods[M]['params'];

/** What a method of a store resolves to. */
export type StoreResultOf<M extends StoreMethod> = StoreMethods[M]['result'];
