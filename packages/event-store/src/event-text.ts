/** An event as a store keeps it: its JSON parts are text. */
export interface StoredEvent {
  readonly streamId: string;
  readonly version: number;
  readonly position: number;
  readonly id: string;
  readonly type: string;
  readonly data: string;
  readonly metadata: string;
  readonly tags: string;
  readonly epochUs: number;
}

/**
 * The members of a `RecordedEvent` that a store keeps, as JSON without the braces. Every byte of it matters to a
 * reader, so it is also what a checksum of the event is taken over.
 */
export function eventCore(event: StoredEvent): string {
  return (
    `"streamId":${quoteStream(event.streamId)},"version":${event.version},"position":${event.position}` +
    `,"id":"${event.id}","type":${JSON.stringify(event.type)},"data":${event.data}` +
    `,"metadata":${event.metadata},"tags":${event.tags},"epochUs":${event.epochUs}`
  );
}

/** A `RecordedEvent` as JSON, from its core. */
export function eventText(storeId: string, core: string, epochUs: number): string {
  return eventHead(storeId) + core + eventTail(epochUs);
}

/** What stands before the core of a `RecordedEvent` as JSON. A store id needs no escapes. */
export function eventHead(storeId: string): string {
  return `{"storeId":"${storeId}",`;
}

/** What stands behind it. */
export function eventTail(epochUs: number): string {
  return `,"timestamp":"${isoTimestamp(epochUs)}"}`;
}

let lastStream = '';
let lastQuoted = '""';

/** A stream's name as JSON. Pages are of one stream, so the last one is kept. */
function quoteStream(streamId: string): string {
  if (streamId !== lastStream) {
    lastQuoted = JSON.stringify(streamId);
    lastStream = streamId;
  }
  return lastQuoted;
}

let lastMs = Number.NaN;
let lastIso = '';

/** ISO 8601 with milliseconds and `Z`. Neighbouring events often share the millisecond, so the last one is kept. */
export function isoTimestamp(epochUs: number): string {
  const ms = Math.floor(epochUs / 1_000);
  if (ms !== lastMs) {
    lastIso = new Date(ms).toISOString();
    lastMs = ms;
  }
  return lastIso;
}
