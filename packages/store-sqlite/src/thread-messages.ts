import type { SnapshotList, StoredSnapshot, StreamRead } from '@esdb-gater/event-store';
import type {
  ErrorData,
  FeedPosition,
  NewSubscription,
  ParkedFilter,
  ParkedRecord,
  ParkedRecords,
  StreamNames,
  SubscriptionRecord,
} from '@esdb-gater/types';
import type { AppendAnswer } from './append-writer.ts';
import type { ChainChange } from './chain-rows.ts';
import type { ChainCheck, ChainState } from './chain-verifier.ts';
import type { KnownCondition, Unchecked } from './conditions.ts';
import type { OpenDatabaseOptions } from './open-database.ts';
import type { QueryRead } from './query-pages.ts';

/** The data that a thread is started with. */
export interface ThreadSetup extends OpenDatabaseOptions {
  readonly role: 'writer' | 'reader';
  readonly tamperEvident: boolean;
  readonly storeId: string;
}

/** Reports that a thread has opened its connection. */
export interface ThreadReady {
  readonly kind: 'ready';
  readonly storeUuid: string;
  /** What opening the file did to its chains of hashes. */
  readonly chains?: ChainChange;
}

/** Reports that a thread could not open its connection. */
export interface ThreadFailed {
  readonly kind: 'failed';
  readonly error: WireError;
}

/** The calls of a thread: by method, its arguments and its result. */
export type ThreadCalls<Calls> = {
  readonly [M in keyof Calls]: { readonly args: readonly unknown[]; readonly result: unknown };
};

/** The append to one of several streams. */
export type PackedAppend = readonly [
  streamId: string,
  expectedVersion: number,
  packedEvents: readonly string[],
];

/** The calls of the writer. */
export interface WriterCalls {
  readonly append: {
    readonly args: readonly [
      streamId: string,
      expectedVersion: number,
      packedEvents: readonly string[],
      condition?: KnownCondition,
    ];
    readonly result: AppendAnswer | Unchecked;
  };
  readonly appendToStreams: {
    readonly args: readonly [appends: readonly PackedAppend[], condition?: KnownCondition];
    readonly result: readonly AppendAnswer[] | Unchecked;
  };
  /** Returns the version of the stream's last event. */
  readonly deleteStream: {
    readonly args: readonly [streamId: string, expectedVersion: number];
    readonly result: number;
  };
  readonly recordSnapshot: {
    readonly args: readonly [snapshot: Omit<StoredSnapshot, 'epochUs'>];
    readonly result: true;
  };
  /** Returns whether there was such a snapshot; without a version, any. */
  readonly deleteSnapshot: {
    readonly args: readonly [sourceUuid: string, streamUuid: string, version: number | undefined];
    readonly result: boolean;
  };
  readonly saveCheckpoint: { readonly args: readonly [position: FeedPosition]; readonly result: true };
  /** Returns false when there is a subscription of that name. */
  readonly createSubscription: {
    readonly args: readonly [subscription: NewSubscription];
    readonly result: boolean;
  };
  readonly saveSubscriptionCheckpoint: {
    readonly args: readonly [name: string, position: FeedPosition];
    readonly result: true;
  };
  readonly resetSubscription: {
    readonly args: readonly [name: string, startFrom: number | 'latest', checkpoint: FeedPosition];
    readonly result: true;
  };
  /** Returns false while parked events are left, and undefined when the subscription does not exist. */
  readonly removeSubscription: {
    readonly args: readonly [name: string, most: number];
    readonly result: boolean | undefined;
  };
  readonly park: { readonly args: readonly [name: string, record: ParkedRecord]; readonly result: true };
  /** Returns how many were marked. */
  readonly markReplay: {
    readonly args: readonly [name: string, eventIds: readonly string[] | undefined, most: number];
    readonly result: number;
  };
  readonly unpark: {
    readonly args: readonly [name: string, positions: readonly number[]];
    readonly result: true;
  };
  readonly ping: { readonly args: readonly []; readonly result: true };
}

/** The calls of the reader. Events and snapshots are returned as JSON text. */
export interface ReaderCalls {
  readonly getEvents: { readonly args: readonly [read: StreamRead]; readonly result: string };
  readonly getVersion: { readonly args: readonly [streamId: string]; readonly result: number };
  readonly versionAt: {
    readonly args: readonly [streamId: string, epochUs: number];
    readonly result: number;
  };
  /** Checks the next events of a stream against its chain of hashes. */
  readonly verifyStream: {
    readonly args: readonly [streamId: string, state: ChainState | undefined];
    readonly result: ChainCheck;
  };
  readonly streamExists: { readonly args: readonly [streamId: string]; readonly result: boolean };
  readonly getStreams: {
    readonly args: readonly [prefix: string, after: string, limit: number];
    readonly result: StreamNames;
  };
  readonly readAll: { readonly args: readonly [after: number, limit: number]; readonly result: string };
  /** Returns the JSON of a `QueryPart`. */
  readonly queryEvents: { readonly args: readonly [read: QueryRead]; readonly result: string };
  /** Moves the search for the first match of a condition forward. */
  readonly checkCondition: {
    readonly args: readonly [condition: KnownCondition];
    readonly result: KnownCondition;
  };
  readonly readSnapshot: {
    readonly args: readonly [sourceUuid: string, streamUuid: string, version: number | undefined];
    readonly result: string;
  };
  readonly listSnapshots: {
    readonly args: readonly [sourceUuid: string, streamUuid: string, list: SnapshotList];
    readonly result: string;
  };
  readonly loadCheckpoint: { readonly args: readonly []; readonly result: FeedPosition };
  readonly listSubscriptions: {
    readonly args: readonly [];
    readonly result: readonly SubscriptionRecord[];
  };
  readonly loadSubscription: {
    readonly args: readonly [name: string];
    readonly result: SubscriptionRecord | undefined;
  };
  readonly listParked: {
    readonly args: readonly [name: string, filter: ParkedFilter];
    readonly result: ParkedRecords;
  };
  readonly ping: { readonly args: readonly []; readonly result: boolean };
}

/** Any call. An array, because a message holds many and member names would be copied with each. */
export type SomeCall = readonly [seq: number, method: PropertyKey, ...args: unknown[]];

/** A call of one of these methods. */
export type CallOf<Calls extends ThreadCalls<Calls>> = {
  [M in keyof Calls]: readonly [seq: number, method: M, ...args: Calls[M]['args']];
}[keyof Calls];

/** The result of any of these methods. */
export type ResultOf<Calls extends ThreadCalls<Calls>> = Calls[keyof Calls]['result'];

/** A batch of calls. */
export interface CallMessage<Call = SomeCall> {
  readonly kind: 'calls';
  /** The caller's wall clock, in Unix milliseconds. */
  readonly nowMs: number;
  /** True when the answer is to hold the events that the message writes. */
  readonly withEvents?: boolean;
  readonly calls: readonly Call[];
}

/** Tells a thread to open its connection. Sent once, as the first message. */
export interface OpenMessage {
  readonly kind: 'open';
}

export interface CloseMessage {
  readonly kind: 'close';
}

export interface WireError {
  readonly message: string;
  readonly data: ErrorData;
}

/** The answer to one call: a result (JSON text when it holds events) or an error. */
export type ThreadAnswer = readonly [seq: number, result: unknown, error?: WireError];

export interface AnswerMessage {
  readonly kind: 'answers';
  readonly answers: readonly ThreadAnswer[];
  /** True on the last message about a `CallMessage`. */
  readonly last: boolean;
  /** The newest position, when events were committed. */
  readonly committed?: number;
  /** The JSON of the committed events, up to `committed`; only when they were wanted and are not too long. */
  readonly events?: readonly string[];
  /** Why the last transaction failed; absent after a successful one. */
  readonly trouble?: string;
  /** True when calls wait because another program holds the write lock. */
  readonly locked?: boolean;
  /** How the file is damaged. It stays so until the store is opened again. */
  readonly damage?: string;
}

export type ToThread<Call> = OpenMessage | CallMessage<Call> | CloseMessage;
export type FromThread = ThreadReady | ThreadFailed | AnswerMessage;
