import { createHash } from 'node:crypto';

/** The longest part of a topic that is not cut. */
export const PART_CHARACTERS = 80;

const KEPT_CHARACTERS = 63;
const HASH_DIGITS = 16;

/** Any character but letters, digits and `-_/:@+`; a surrogate pair is one character. */
const OTHER = /[^A-Za-z0-9\-_/:@+]/gu;

/** Replaces every character that a part of a topic may not have by `_`. */
export function escapeCharacters(name: string): string {
  return name.replace(OTHER, '_');
}

/**
 * Makes a part of a topic from a name: escaped, never empty, and if it is over 80 characters cut to 63, `_` and 16 hex
 * digits of the name's SHA-256, so that long names stay distinct.
 */
export function escapePart(name: string): string {
  return cutPart(escapeCharacters(name), name);
}

/** Cuts the escaped form of `name` when it is too long. */
export function cutPart(escaped: string, name: string): string {
  if (escaped.length === 0) return '_';
  if (escaped.length <= PART_CHARACTERS) return escaped;
  const hash = createHash('sha256').update(name, 'utf8').digest('hex').slice(0, HASH_DIGITS);
  // A cut after a dot leaves a segment that begins with the hash's `_`, which is valid; an empty one would not be.
  return `${escaped.slice(0, KEPT_CHARACTERS)}_${hash}`;
}
