import { checkEventContent, isUuid, utf8Bytes, uuidV7 } from '@esdb-gater/primitives';
import {
  GaterError,
  invalidArgument,
  isName,
  LIMITS,
  type NewBytesEvent,
  type NewEvent,
} from '@esdb-gater/types';

/** Holds the bytes that an event carries instead of JSON. */
export interface EncodedBytes {
  readonly contentType: string;
  /** Canonical, with padding. */
  readonly base64: string;
}

/** Holds a new event whose parts are JSON text: encoded once, then compared, stored and read as text. */
export interface EncodedEvent {
  readonly id: string;
  readonly type: string;
  /** Empty when the event carries bytes. */
  readonly data: string;
  readonly bytes?: EncodedBytes;
  /** `{}` when none was given. */
  readonly metadata: string;
  /** `[]` when none were given. */
  readonly tags: string;
  readonly tagList: readonly string[];
}

const NO_TAGS: readonly string[] = Object.freeze([]);

/**
 * Encodes the events of one append.
 *
 * An event without an id gets a UUIDv7. That is for embedded use; behind a gateway every event has an id.
 *
 * @throws `invalid_argument` (reasons `events`, `event_type`, `event_id`, `event_tags`, `event_metadata`, `json`, and those of
 * `checkEventContent`),
 * `payload_too_large`
 */
export function encodeEvents(events: readonly (NewEvent | NewBytesEvent)[], nowMs: number): EncodedEvent[] {
  if (!Array.isArray(events) || events.length < 1 || events.length > LIMITS.eventsPerAppend) {
    throw invalidArgument('events', `events must be an array of 1 to ${LIMITS.eventsPerAppend} events`);
  }
  return events.map((event, index) => encodeEvent(event, `events[${index}]`, nowMs));
}

function encodeEvent(event: NewEvent | NewBytesEvent, path: string, nowMs: number): EncodedEvent {
  if (!isName(event.type)) {
    throw invalidArgument(
      'event_type',
      `${path}.type must be 1 to ${LIMITS.nameUnits} characters without control characters`,
    );
  }
  if (event.id !== undefined && !isUuid(event.id)) {
    throw invalidArgument('event_id', `${path}.id must be a UUID`);
  }
  const tagList = event.tags ?? NO_TAGS;
  if (!Array.isArray(tagList) || !tagList.every(isName)) {
    throw invalidArgument(
      'event_tags',
      `${path}.tags must be strings of 1 to ${LIMITS.nameUnits} characters without control characters`,
    );
  }
  const metadata = event.metadata === undefined ? '{}' : encodeJson(event.metadata, `${path}.metadata`);
  if (metadata[0] !== '{') throw invalidArgument('event_metadata', `${path}.metadata must be an object`);
  const tags = tagList.length === 0 ? '[]' : JSON.stringify(tagList);
  const rest = { id: event.id ?? uuidV7(nowMs), type: event.type, metadata, tags, tagList };
  if (event.dataBase64 !== undefined || event.data === undefined || event.contentType !== undefined) {
    checkEventContent(event, path);
    const { contentType, dataBase64 } = event as NewBytesEvent;
    const bytes = { contentType, base64: dataBase64 };
    checkBytes(dataBase64 + contentType, metadata, tags, path);
    return { ...rest, data: '', bytes };
  }
  const data = encodeJson(event.data, `${path}.data`);
  checkBytes(data, metadata, tags, path);
  return { ...rest, data };
}

/**
 * Returns the JSON text of a value.
 *
 * @throws `invalid_argument` (reason `json`) for what JSON cannot represent: undefined, NaN and the infinities
 * (which `JSON.stringify` would turn into null), cycles, and nesting beyond the stack
 */
export function encodeJson(value: unknown, path: string): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
    // Only a text that contains null can hide a number that JSON cannot represent, so most events are not walked.
    if (text?.includes('null') === true && hasLostNumber(value)) text = undefined;
  } catch (error) {
    throw invalidArgument('json', `${path} must be a JSON value: ${(error as Error).message}`);
  }
  if (text === undefined) throw invalidArgument('json', `${path} must be a JSON value`);
  return text;
}

function hasLostNumber(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).some(hasLostNumber);
}

function checkBytes(data: string, metadata: string, tags: string, path: string): void {
  // A UTF-16 unit is at most three bytes of UTF-8, so short events need no measuring.
  if ((data.length + metadata.length + tags.length) * 3 <= LIMITS.messageBytes) return;
  const bytes = utf8Bytes(data) + utf8Bytes(metadata) + utf8Bytes(tags);
  if (bytes <= LIMITS.messageBytes) return;
  throw new GaterError(
    'payload_too_large',
    `${path} must have at most ${LIMITS.messageBytes} bytes as JSON, got ${bytes}`,
    { details: { bytes, maxBytes: LIMITS.messageBytes } },
  );
}
