import { createHash } from 'node:crypto';

/** Longest part of a topic that is kept as it is. */
export const PART_CHARACTERS = 80;

const KEPT_CHARACTERS = 63;
const HASH_DIGITS = 16;

/** Every character but letters, digits and `-_/:@+`, a surrogate pair being one. */
const OTHER = /[^A-Za-z0-9\-_/:@+]/gu;

/** A name with `_` for every character that a topic's part does not have. */
export function escapeCharacters(name: string): string {
  return name.replace(OTHER, '_');
}

/**
 * A name as a part of a topic: escaped, never empty, and when it is over 80 characters cut to 63, `_` and 16 hex digits
 * of the SHA-256 of the name itself, so that long names stay apart.
 */
export function escapePart(name: string): string {
  return cutPart(escapeCharacters(name), name);
}

/** Cuts what became of `name` when it is too long. */
export function cutPart(escaped: string, name: string): string {
  if (escaped.length === 0) return '_';
  if (escaped.length <= PART_CHARACTERS) return escaped;
  const hash = createHash('sha256').update(name, 'utf8').digest('hex').slice(0, HASH_DIGITS);
  // A cut behind a dot would leave a segment that begins with the hash's `_`; that is fine, an empty one would not be.
  return `${escaped.slice(0, KEPT_CHARACTERS)}_${hash}`;
}
