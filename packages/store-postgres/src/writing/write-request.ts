import type { AppendRequest, EncodedEvent, KnownEvent, StreamState } from '@esdb-gater/event-store';
import type { EventQuery } from '@esdb-gater/types';

/** The condition of an append, as far as it has been checked. */
export interface PendingCondition {
  readonly query: EventQuery;
  /** No event that matches lies between the caller's `after` and this position. */
  readonly after: number;
  /** Checks it while all others wait, however long it takes. */
  readonly forced: boolean;
}

/** A write that shares a transaction with others. A delete has one part, without events. */
export interface WriteRequest {
  readonly kind: 'append' | 'delete';
  readonly parts: readonly AppendRequest[];
  readonly condition?: PendingCondition | undefined;
  /** The times of the events, all parts one after the other, when they are copied from another store. */
  readonly epochsUs?: readonly number[];
}

/** A part that was written. */
export interface WrittenPart {
  readonly version: number;
  /** Of the last event; 0 without events. */
  readonly position: number;
}

/** An event that was there before, of one of the parts. */
export interface FoundEvent extends KnownEvent {
  readonly part: number;
  readonly idKey: string;
}

/** What the database answered to a request. */
export type WriteAnswer =
  | { readonly kind: 'written'; readonly parts: readonly WrittenPart[] }
  | { readonly kind: 'condition'; readonly position: number }
  | { readonly kind: 'unchecked' }
  | { readonly kind: 'clock' }
  /** Not written. The states of the streams and the events that are there say why. */
  | {
      readonly kind: 'refused';
      readonly states: readonly StreamState[];
      readonly found: readonly FoundEvent[];
    };

/** The memory that an event needs besides its texts. */
const EVENT_BYTES = 160;

/** Returns the memory that a request needs until it is answered. */
export function costOf({ parts }: WriteRequest): number {
  let bytes = EVENT_BYTES;
  for (const { streamId, events } of parts) {
    bytes += streamId.length;
    for (const event of events) bytes += EVENT_BYTES + textLength(event);
  }
  return bytes;
}

function textLength({ type, data, bytes, metadata, tags }: EncodedEvent): number {
  return type.length + data.length + (bytes?.base64.length ?? 0) + metadata.length + 2 * tags.length;
}
