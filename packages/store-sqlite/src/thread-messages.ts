import type { ErrorData } from '@esdb-gater/types';
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

/** One call: an array, because a message holds many and names of members would be copied with each. */
export type ThreadCall = readonly [seq: number, method: string, ...args: unknown[]];

/** All calls of one turn of the event loop. */
export interface CallMessage {
  readonly kind: 'calls';
  /** The caller's wall clock, in Unix milliseconds. */
  readonly nowMs: number;
  readonly calls: readonly ThreadCall[];
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

export type ToThread = OpenMessage | CallMessage | CloseMessage;
export type FromThread = ThreadReady | ThreadFailed | AnswerMessage;
