import type { JsonObject, JsonValue } from './json.ts';

interface NewEventMembers<Type extends string> {
  /** 1 to 255 UTF-16 units. */
  readonly type: Type;
  /** A UUID. It makes the append idempotent; the client (else the gateway) makes a UUIDv7 where it is absent. */
  readonly id?: string;
  /** `correlationId` and `causationId` are the conventional members. */
  readonly metadata?: JsonObject;
  /** Each 1 to 255 UTF-16 units. */
  readonly tags?: readonly string[];
}

/** An event as a caller passes it. */
export interface NewEvent<Type extends string = string, Data = JsonValue> extends NewEventMembers<Type> {
  /** Any JSON value. */
  readonly data: Data;
  readonly dataBase64?: never;
  readonly contentType?: never;
}

/** An event that carries bytes instead of JSON. */
export interface NewBytesEvent<Type extends string = string> extends NewEventMembers<Type> {
  readonly data?: never;
  /** RFC 4648, section 4, with padding. */
  readonly dataBase64: string;
  /** The media type of the bytes. */
  readonly contentType: string;
}

/** An event as a store keeps it. */
export interface RecordedEvent<Type extends string = string, Data = JsonValue> {
  readonly id: string;
  readonly type: Type;
  readonly storeId: string;
  readonly streamId: string;
  /** In the stream, from 0. */
  readonly version: number;
  /** In the store, from 1; only grows, and no reader can step over one that becomes visible later. */
  readonly position: number;
  /** Absent in an event that carries bytes. */
  readonly data: Data;
  /** The bytes of an event that carries bytes: RFC 4648, section 4, with padding. */
  readonly dataBase64?: string;
  /** The media type of the bytes. */
  readonly contentType?: string;
  readonly metadata: JsonObject;
  readonly tags: readonly string[];
  /** ISO 8601 with milliseconds and `Z`. */
  readonly timestamp: string;
  /** Microseconds since the Unix epoch, never decreasing in a store. */
  readonly epochUs: number;
}

/** The answer to an append. */
export interface AppendResult {
  /** Of the last event. */
  readonly version: number;
  /** Of the last event. */
  readonly position: number;
  readonly count: number;
  /** True when every id was already there and nothing was written. */
  readonly duplicate: boolean;
}

/** The answer to one of the appends of `appendToStreams`. */
export interface StreamAppendResult extends Omit<AppendResult, 'position'> {
  /** Of the last event; absent when the append had no events and only checked the stream's version. */
  readonly position?: number;
}

/** A page of one stream. */
export interface StreamPage {
  readonly events: readonly RecordedEvent[];
  /** The stream's version, not the page's. */
  readonly version: number;
  /** `startVersion` of the next page; absent at the end. */
  readonly next?: number;
}

/** A page of a whole store. */
export interface StorePage {
  readonly events: readonly RecordedEvent[];
  /** The position up to which the answer is complete: what goes into `after`. */
  readonly lastPosition: number;
  /** `after` of the next page; absent at the end. */
  readonly next?: number;
}
