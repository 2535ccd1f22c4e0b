import type { EncodedBytes } from './encode-event.ts';

/** Holds an event as stores keep it: its JSON parts are text. */
export interface StoredEvent {
  readonly streamId: string;
  readonly version: number;
  readonly position: number;
  readonly id: string;
  readonly type: string;
  /** Empty when the event carries bytes. */
  readonly data: string;
  readonly bytes?: EncodedBytes;
  readonly metadata: string;
  readonly tags: string;
  readonly epochUs: number;
}

/**
 * Returns the members of a `RecordedEvent` that a store keeps, as JSON without the braces. A reader sees every byte
 * of it, so an event's checksum is taken over this text.
 */
export function eventCore(event: StoredEvent): string {
  return (
    `"streamId":${quoteStream(event.streamId)},"version":${event.version},"position":${event.position}` +
    `,"id":"${event.id}","type":${JSON.stringify(event.type)},${contentText(event)}` +
    `,"metadata":${event.metadata},"tags":${event.tags},"epochUs":${event.epochUs}`
  );
}

/** Returns the members that hold what an event is about, as JSON without the braces. */
function contentText({ data, bytes }: Pick<StoredEvent, 'data' | 'bytes'>): string {
  if (bytes === undefined) return `"data":${data}`;
  return `"dataBase64":"${bytes.base64}","contentType":${JSON.stringify(bytes.contentType)}`;
}

/** Returns a `RecordedEvent` as JSON, given its core. */
export function eventText(storeId: string, core: string, epochUs: number): string {
  return eventHead(storeId) + core + eventTail(epochUs);
}

/** Returns the JSON before the core of a `RecordedEvent`. A store id needs no escaping. */
export function eventHead(storeId: string): string {
  return `{"storeId":"${storeId}",`;
}

/** Returns the JSON after the core. */
export function eventTail(epochUs: number): string {
  return `,"timestamp":"${isoTimestamp(epochUs)}"}`;
}

let lastStream = '';
let lastQuoted = '""';

/** Returns a stream's name as JSON. A page holds one stream, so the last result is cached. */
function quoteStream(streamId: string): string {
  if (streamId !== lastStream) {
    lastQuoted = JSON.stringify(streamId);
    lastStream = streamId;
  }
  return lastQuoted;
}

let lastMs = Number.NaN;
let lastIso = '';

/** The largest time of a `Date`, in milliseconds. */
const MAX_DATE_MS = 8.64e15;

/**
 * Formats a time as ISO 8601 with milliseconds and `Z`; a time beyond what a `Date` holds becomes its limit, so that an
 * event can always be read. Neighbouring events often share the millisecond, so the last result is cached.
 */
export function isoTimestamp(epochUs: number): string {
  const ms = Math.floor(epochUs / 1_000);
  if (ms !== lastMs) {
    lastIso = new Date(Math.max(-MAX_DATE_MS, Math.min(ms, MAX_DATE_MS))).toISOString();
    lastMs = ms;
  }
  return lastIso;
}
