import type { StoredSnapshot, StreamRead } from '@esdb-gater/event-store';
import type { ErrorData, FeedPosition, StreamNames } from '@esdb-gater/types';
import type { AppendAnswer } from './append-writer.ts';
import type { OpenDatabaseOptions } from './open-database.ts';

/** What a thread is started with. */
export interface ThreadSetup extends OpenDatabaseOptions {
  readonly role: 'writer' | 'reader';
  readonly storeId: string;
}

/** What a thread says once it can serve. */
export interface ThreadReady {
  readonly kind: 'ready';
  readonly storeUuid: string;
}

/** What a thread says when it cannot. */
export interface ThreadFailed {
  readonly kind: 'failed';
  readonly error: WireError;
}

/** What a thread does: by method, its arguments and its result. */
export type ThreadCalls<Calls> = {
  readonly [M in keyof Calls]: { readonly args: readonly unknown[]; readonly result: unknown };
};

/** What the writer does. */
export interface WriterCalls {
  readonly append: {
    readonly args: readonly [streamId: string, expectedVersion: number, packedEvents: readonly string[]];
    readonly result: AppendAnswer;
  };
  /** Resolves to the version of the stream's last event. */
  readonly deleteStream: {
    readonly args: readonly [streamId: string, expectedVersion: number];
    readonly result: number;
  };
  readonly recordSnapshot: {
    readonly args: readonly [snapshot: Omit<StoredSnapshot, 'epochUs'>];
    readonly result: true;
  };
  /** Resolves to whether there was one. */
  readonly deleteSnapshot: {
    readonly args: readonly [sourceUuid: string, streamUuid: string, version: number];
    readonly result: boolean;
  };
  readonly saveCheckpoint: { readonly args: readonly [position: FeedPosition]; readonly result: true };
  readonly ping: { readonly args: readonly []; readonly result: true };
}

/** What the reader does. What holds events or snapshots is answered as JSON text. */
export interface ReaderCalls {
  readonly getEvents: { readonly args: readonly [read: StreamRead]; readonly result: string };
  readonly getVersion: { readonly args: readonly [streamId: string]; readonly result: number };
  readonly streamExists: { readonly args: readonly [streamId: string]; readonly result: boolean };
  readonly getStreams: {
    readonly args: readonly [prefix: string, after: string, limit: number];
    readonly result: StreamNames;
  };
  readonly readAll: { readonly args: readonly [after: number, limit: number]; readonly result: string };
  readonly readSnapshot: {
    readonly args: readonly [sourceUuid: string, streamUuid: string, version: number | undefined];
    readonly result: string;
  };
  readonly listSnapshots: {
    readonly args: readonly [sourceUuid: string, streamUuid: string];
    readonly result: string;
  };
  readonly loadCheckpoint: { readonly args: readonly []; readonly result: FeedPosition };
  readonly ping: { readonly args: readonly []; readonly result: boolean };
}

/** Some call: an array, because a message holds many and names of members would be copied with each. */
export type SomeCall = readonly [seq: number, method: PropertyKey, ...args: unknown[]];

/** A call of one of these methods. */
export type CallOf<Calls extends ThreadCalls<Calls>> = {
  [M in keyof Calls]: readonly [seq: number, method: M, ...args: Calls[M]['args']];
}[keyof Calls];

/** What any of these methods resolves to. */
export type ResultOf<Calls extends ThreadCalls<Calls>> = Calls[keyof Calls]['result'];

/** All calls of one turn of the event loop. */
export interface CallMessage<Call = SomeCall> {
  readonly kind: 'calls';
  /** The caller's wall clock, in Unix milliseconds. */
  readonly nowMs: number;
  readonly calls: readonly Call[];
}

/** Tells a thread to open its connection. Comes once and first. */
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

/** The answer to one call: a result, which is JSON text where it holds events, or an error. */
export type ThreadAnswer = readonly [seq: number, result: unknown, error?: WireError];

export interface AnswerMessage {
  readonly kind: 'answers';
  readonly answers: readonly ThreadAnswer[];
  /** True on the last message about a `CallMessage`. */
  readonly last: boolean;
  /** The newest position, when events were committed. */
  readonly committed?: number;
  /** Why the last transaction failed; absent after one that did not. */
  readonly trouble?: string;
}

export type ToThread<Call> = OpenMessage | CallMessage<Call> | CloseMessage;
export type FromThread = ThreadReady | ThreadFailed | AnswerMessage;
