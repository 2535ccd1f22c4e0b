import { LIMITS } from './limits.ts';

const STORE_ID = /^[A-Za-z0-9_-]{1,64}$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: matches control characters on purpose
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** True when `value` is a store id: 1 to 64 of `A-Z a-z 0-9 _ -`. */
export function isStoreId(value: unknown): value is string {
  return typeof value === 'string' && STORE_ID.test(value);
}

/**
 * True when `value` is an event type, a subscription name or a tag: 1 to 255 UTF-16 units, without control
 * characters (C0, DEL, C1) and lone surrogates.
 */
export function isName(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value.length >= 1 &&
    value.length <= LIMITS.nameUnits &&
    !CONTROL.test(value) &&
    value.isWellFormed()
  );
}

/** Names that are not stream ids: relative path segments, and the selector of all streams. */
const NOT_STREAM_IDS: ReadonlySet<string> = new Set(['.', '..', '$all']);

/** Returns true when `value` is a stream id: a name other than `.`, `..` and `$all`. */
export function isStreamId(value: unknown): value is string {
  return isName(value) && !NOT_STREAM_IDS.has(value);
}
